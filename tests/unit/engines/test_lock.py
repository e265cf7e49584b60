"""Which machines share a compiled form, and what is said where they don't."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edgekit import config
from edgekit.bundle import FileEntry
from edgekit.engines.lock import Lock, Place, here

PLACE = Place("onnxruntime", "1.31.1", "x86_64", ("avx", "avx2"))
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


def test_this_place_is_itself() -> None:
    assert here() == here()
    assert here().fingerprint == here().fingerprint
    assert here().differences(here()) == []


def test_a_lock_is_read_as_it_was_written() -> None:
    lock = Lock(1, PLACE, {"graphs/a.onnx": "00"}, {"a.onnx": FileEntry(5, "11")}, "ff", 1.5, 1 << 20)
    assert config.load(Lock, config.dump(lock), "lock.json") == lock
