"""What plans are bound to on this machine: which of its GPUs, and the release that would run them."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace

import pytest

from edgekit.engines.place import Place
from edgekit.engines.tensorrt.place import like, version_of
from edgekit.machine.detect import detect
from edgekit.machine.gpus import Gpu
from edgekit.units import GIB

OLD = Gpu("NVIDIA T400", "7.5", 4 * GIB, "580.95.05")
CARD = Gpu("NVIDIA GeForce RTX 3050", "8.6", 6 * GIB, "580.95.05")


@pytest.mark.parametrize(
    ("gpus", "capability", "device"),
    [((OLD, CARD), "8.6", CARD), ((OLD, CARD), "8.9", OLD), ((CARD,), "", CARD), ((), "8.6", Gpu(""))],
)
def test_the_gpu_is_the_one_of_that_compute_capability_or_the_first(
    gpus: tuple[Gpu, ...], capability: str, device: Gpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = replace(detect(gpus=gpus), arch="aarch64", l4t="36.4")
    monkeypatch.setattr("edgekit.engines.tensorrt.place.driver_cuda", lambda: "13.0")
    monkeypatch.setattr("edgekit.engines.tensorrt.place.version_of", {"tensorrt_rtx": "1.7.1"}.__getitem__)
    other = Place(engine="tensorrt_rtx", version="1.6", arch="x86_64", compute_capability=capability, driver="1")
    assert like(other, here) == Place(
        engine="tensorrt_rtx",
        version="1.7.1",
        arch="aarch64",
        device=device.name,
        compute_capability=device.compute_capability,
        driver=device.driver,
        cuda="13.0",
        l4t="36.4",
    )


def packages(patch: pytest.MonkeyPatch, **releases: str) -> None:
    def version(name: str) -> str:
        if name.replace("-", "_") not in releases:
            raise PackageNotFoundError(name)
        return releases[name.replace("-", "_")]

    patch.setattr("edgekit.engines.tensorrt.place.version", version)


def test_a_release_is_told_by_its_package_and_nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)  # to import it is an error
    packages(monkeypatch, tensorrt_cu12="10.3.0", tensorrt_rtx_cu12="1.7.1")
    assert (version_of("tensorrt"), version_of("tensorrt_rtx")) == ("10.3.0", "1.7.1")
    packages(monkeypatch, tensorrt="10.9.0", tensorrt_cu12="10.3.0")
    assert version_of("tensorrt") == "10.9.0"


def test_jetpack_s_own_is_asked_and_one_that_does_not_load_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    packages(monkeypatch)
    monkeypatch.setitem(sys.modules, "tensorrt", SimpleNamespace(__version__="10.3.0"))
    assert version_of("tensorrt") == "10.3.0"
    monkeypatch.setitem(sys.modules, "tensorrt", SimpleNamespace())
    assert version_of("tensorrt") == ""
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    assert version_of("tensorrt") == ""
