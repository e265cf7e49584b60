"""What is kept of a look at this computer, and what is looked for anew."""

from __future__ import annotations

import sys

import pytest

from edgekit import machine
from edgekit.machine import detect
from edgekit.machine.gpus import VISIBLE, Gpu
from tests.unit.machine.nvml import FakeNvml

CARD = ("NVIDIA GeForce RTX 3050", (8, 6), 6 * 2**30)
HERE = Gpu(CARD[0], "8.6", CARD[2], "580.65", "GPU-0")


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> FakeNvml:
    """NVML of a machine with one card, no Jetson, on which nothing is hidden or listed by the kernel."""
    module = FakeNvml(CARD)
    monkeypatch.setitem(sys.modules, "pynvml", module)
    monkeypatch.delenv(VISIBLE, raising=False)
    monkeypatch.setattr(detect, "_jetson", lambda root: ("", ""))
    monkeypatch.setattr(detect, "listed_gpus", lambda root: iter(()))
    return module


def test_a_whole_answer_is_kept(nvml: FakeNvml) -> None:
    here = machine.look()
    assert here.gpus == (HERE,)
    nvml.gpus = ()
    assert machine.look() is here


def test_a_machine_without_a_gpu_is_kept(nvml: FakeNvml) -> None:
    nvml.gpus = ()
    assert machine.look() is machine.look()


@pytest.mark.parametrize("listed", [(), (Gpu(CARD[0]),)])
def test_a_driver_that_is_not_up_yet_is_asked_again(
    listed: tuple[Gpu, ...], nvml: FakeNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detect, "listed_gpus", lambda root: iter(listed))
    nvml.driver = False
    assert machine.look().gpus == listed
    nvml.driver = True
    assert machine.look().gpus == (HERE,)


def test_a_gpu_that_was_lost_is_asked_again(nvml: FakeNvml, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(index: int) -> int:
        raise nvml.NVMLError("GPU is lost")

    with monkeypatch.context() as patch:
        patch.setattr(nvml, "nvmlDeviceGetHandleByIndex", lost)
        assert machine.look().gpus == (Gpu("NVIDIA GPU 0"),)
    assert machine.look().gpus == (HERE,)


def test_without_nvml_s_module_there_is_nothing_to_wait_for(nvml: FakeNvml, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert machine.look() is machine.look()
    assert machine.look().gpus == ()
