"""Bytes on disks by hand, for each ONNX Runtime that may be installed and for a bundle that is there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from packaging.version import Version

from edgekit.engines.coefficients import Coefficients, Factor, coefficients
from edgekit.plan import disk as disks
from edgekit.plan.disk import Disk, disk, disk_of_bundle, golden_bytes
from tests.unit.plan.models import TINYLLAVA

BESIDE = 256 * 1024
TABLE = replace(coefficients("onnxruntime"), compiled=Factor(1.5, "exact", ""), compiled_twice=Factor(2.5, "exact", ""))


def on(runtime: str | None, gpu: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"onnxruntime": runtime and Version(runtime), "onnxruntime-gpu": gpu and Version(gpu)}
    monkeypatch.setattr(disks, "_installed", versions.__getitem__)


@pytest.mark.parametrize(
    ("runtime", "gpu", "ratio"),
    [
        ("1.31.2", None, 1.5),
        ("1.32.0", None, 2.5),
        (None, "1.23", 1.5),
        (None, "1.33", 2.5),
        ("1.31", "1.33", 1.5),
        (None, None, 2.5),  # the newest is assumed
    ],
)
def test_newer_runtimes_keep_the_originals_beside_packed_weights(
    runtime: str | None, gpu: str | None, ratio: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(runtime, gpu, monkeypatch)
    planned = disk(9000, 1000, 30, 4000, TABLE)
    assert (planned.checkpoint_bytes, planned.bundle_bytes, planned.exact) == (9000, 1030 + BESIDE, False)
    assert planned.engines_bytes == round(ratio * 4000) + BESIDE
    assert planned.pack_bytes == planned.bundle_bytes


@pytest.mark.parametrize(("engines", "said"), [(7777, 7777), (0, 6000 + BESIDE)])
def test_a_bundle_s_bytes_are_counted_and_its_engines_where_there_are_some(
    engines: int, said: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    on("1.31", None, monkeypatch)
    assert disk_of_bundle(5000, engines, 4000, TABLE) == Disk(0, 5000, said, 5000, exact=True)


def test_an_engine_that_compiles_nothing_takes_nothing() -> None:
    nothing: Coefficients = replace(TABLE, compiled=Factor(0, "exact", ""), compiled_twice=Factor(0, "exact", ""))
    assert disk(0, 1000, 0, 4000, nothing).engines_bytes == 0


def test_a_device_holds_two_releases_and_the_pack_of_the_next() -> None:
    assert Disk(9000, 100, 20, 90, exact=True).device_bytes == 2 * (100 + 20) + 90


def test_a_golden_record_grows_with_its_pictures_and_what_passes_between_components() -> None:
    """Four pictures in float16 and as PNG; features and embeds of one, twice; rows of 64 tokens, twice."""
    spec = TINYLLAVA.spec
    tokens = (384 // 14) ** 2
    pictures = 4 * 384 * 384 * (3 * 2 + 0.5)
    between = 2 * 2 * tokens * (1152 + 2048) + 2 * 2 * 64 * 2048
    assert golden_bytes(spec) == pictures + between + 48 * 1024
