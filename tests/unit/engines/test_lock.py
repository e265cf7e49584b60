"""Which machines share a compiled form, and what is said where they don't."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edgekit import config
from edgekit.bundle.hashes import FileEntry
from edgekit.engines.lock import Lock
from edgekit.engines.onnxruntime.backend import here
from edgekit.engines.place import Place

PLACE = Place(engine="onnxruntime", version="1.31.1", arch="x86_64", features=("avx", "avx2"))
OTHERS: list[tuple[dict[str, Any], str]] = [
    ({"version": "1.30.0"}, "onnxruntime 1.30.0, here 1.31.1"),
    ({"engine": "tensorrt"}, "tensorrt 1.31.1"),
    ({"arch": "aarch64", "features": ("asimd",)}, "an aarch64 processor, here x86_64"),
    ({"features": ("avx", "avx2", "avx512f")}, "differs in avx512f"),
    ({"features": ("avx",)}, "differs in avx2"),
]


@pytest.mark.parametrize(("change", "said"), OTHERS)
def test_a_place_that_differs_has_another_name_and_says_in_what(change: dict[str, Any], said: str) -> None:
    other = replace(PLACE, **change)
    assert other.fingerprint != PLACE.fingerprint
    (found,) = PLACE.differences(other)
    assert said in found


CARD = Place(
    engine="tensorrt_rtx",
    version="1.7.1",
    arch="x86_64",
    device="GeForce RTX 3050",
    compute_capability="8.6",
    driver="580.95",
    cuda="13.0",
)
AHEAD = Place(engine="tensorrt_rtx", version="1.7.1", arch="x86_64", compute_capability="8.6")
GPUS: list[tuple[dict[str, Any], str]] = [
    ({"device": "GeForce RTX 3080"}, "GeForce RTX 3080, here GeForce RTX 3050"),
    ({"compute_capability": "8.7"}, "compute capability 8.7, here 8.6"),
    ({"driver": "570.10"}, "driver 570.10, here 580.95"),
    ({"cuda": "12.6"}, "CUDA 12.6, here 13.0"),
    ({"l4t": "36.4.3"}, "L4T 36.4.3, here none"),
    ({"version": "1.6.0"}, "tensorrt_rtx 1.6.0, here 1.7.1"),
]


@pytest.mark.parametrize(("change", "said"), GPUS)
def test_an_engine_of_another_device_says_in_what_it_differs(change: dict[str, Any], said: str) -> None:
    (found,) = CARD.differences(replace(CARD, **change))
    assert found == said
    assert replace(CARD, **change).fingerprint != CARD.fingerprint


def test_an_engine_that_was_built_ahead_is_for_every_device_of_its_kind() -> None:
    assert CARD.differences(AHEAD) == []
    assert CARD.differences(replace(AHEAD, compute_capability="8.9")) == ["compute capability 8.9, here 8.6"]
    assert AHEAD.fingerprint != CARD.fingerprint


def test_this_place_is_itself() -> None:
    assert here() == here()
    assert here().fingerprint == here().fingerprint
    assert here().differences(here()) == []


def test_a_lock_is_read_as_it_was_written() -> None:
    lock = Lock(
        format=1,
        place=PLACE,
        graphs={"graphs/a.onnx": "00"},
        files={"a.onnx": FileEntry(5, "11")},
        probe="ff",
        seconds=1.5,
        peak_bytes=1 << 20,
    )
    assert config.load(Lock, config.dump(lock), "lock.json") == lock
