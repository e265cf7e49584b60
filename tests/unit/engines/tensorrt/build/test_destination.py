"""Where plans are built: here or ahead, and what is said of a GPU that does not tell its kind."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from edgekit import machine
from edgekit.engines.backend import Destination
from edgekit.engines.tensorrt.api import Flavour, present
from edgekit.engines.tensorrt.build.destination import destination
from edgekit.errors import EngineError
from edgekit.machine.detect import detect
from edgekit.machine.gpus import VISIBLE, Gpu
from edgekit.target import target

CARD = Gpu("NVIDIA GeForce RTX 3050", "8.6", 6 * 2**30, "580.95.05", "GPU-1")
Put = Callable[..., None]


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Put:
    """Put a machine with these GPUs in the place of this one, where the module for NVML is missing."""

    def put(*gpus: Gpu, arch: str = "x86_64", jetson: str = "", modules: tuple[str, ...] = ("tensorrt_rtx",)) -> None:
        here = replace(detect(), arch=arch, gpus=gpus, jetson=jetson)
        monkeypatch.setattr("edgekit.machine.look", lambda: here)
        monkeypatch.setattr("platform.machine", lambda: arch)
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: name if name in modules else None)
        monkeypatch.setitem(sys.modules, "pynvml", None)

    return put


def destined(name: str) -> Destination:
    return destination(target(name), machine.look())


def test_a_card_that_is_here_is_built_for_and_another_ahead(on: Put, caplog: pytest.LogCaptureFixture) -> None:
    on(CARD)
    assert (destined("rtx3050").ahead, destined("rtx3050").place.device) == (False, CARD.name)
    for gpus in ((), (Gpu("NVIDIA H200", "9.0"),)):
        on(*gpus)
        assert destined("rtx3050").ahead
    assert not caplog.records


def test_a_processor_is_the_target_s_whatever_the_system_calls_it(on: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    on()
    monkeypatch.setattr("platform.machine", lambda: "AMD64")
    assert destined("rtx3050").place.arch == "x86_64"


def test_a_card_that_tells_its_name_alone_is_said_and_what_mends_it(on: Put, caplog: pytest.LogCaptureFixture) -> None:
    on(Gpu(CARD.name))
    assert destined("rtx3050").ahead
    [said] = caplog.messages
    assert said.startswith("NVIDIA GeForce RTX 3050 does not tell its compute capability: building as for a card")
    assert said.endswith("Run: pip install nvidia-ml-py")


def test_a_jetson_that_tells_its_name_alone_is_no_other_machine(on: Put) -> None:
    on(Gpu("NVIDIA Jetson (integrated)"), arch="aarch64", jetson="NVIDIA Jetson")
    with pytest.raises(EngineError, match="does not tell its compute capability") as failure:
        destined("orin")
    assert "nvidia-ml-py" in failure.value.hint
    on(arch="aarch64")
    with pytest.raises(EngineError, match="this machine has no such GPU"):
        destined("orin")


@pytest.mark.parametrize(
    ("jetson", "modules", "found"),
    [
        ("", ("tensorrt_rtx",), "tensorrt_rtx"),
        ("NVIDIA Jetson Orin", ("tensorrt", "tensorrt_rtx"), "tensorrt"),
        ("NVIDIA Jetson Orin", ("tensorrt_rtx",), None),
    ],
)
def test_tensorrt_rtx_is_not_taken_for_a_jetson_s(
    on: Put, jetson: str, modules: tuple[str, ...], found: Flavour | None
) -> None:
    on(arch="aarch64", jetson=jetson, modules=modules)
    if found:
        assert present(None) == found
        return
    with pytest.raises(EngineError, match="comes with JetPack"):
        present(None)


def test_what_builds_is_shown_the_card_that_it_is_for(on: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VISIBLE, raising=False)
    on(Gpu("NVIDIA GeForce RTX 4090", "8.9", 24 * 2**30, "580.95.05", "GPU-0"), CARD)
    assert destined("rtx3050").variables == {VISIBLE: "GPU-1"}
    assert VISIBLE not in os.environ
    on(CARD)
    assert destined("rtx3050").variables == {}
