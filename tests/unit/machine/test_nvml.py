"""NVIDIA's management library, by a stand-in of its Python module: GPUs, and a process's memory on one."""

from __future__ import annotations

import sys
import types

import pytest

from edgekit.machine import nvml
from edgekit.machine.gpus import Gpu
from tests.unit.machine.nvml import FakeNvml

CARD, ORIN = ("Some card", (8, 6), 6 << 30), ("Orin", (8, 7), 0)


def install(monkeypatch: pytest.MonkeyPatch, module: FakeNvml | None) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setitem(sys.modules, "pynvml", module)


def test_gpus_are_told_as_the_driver_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeNvml(CARD, (b"Old module's", (7, 5), 1 << 30))
    install(monkeypatch, fake)
    assert nvml.driver_gpus() == (
        Gpu("Some card", "8.6", 6 << 30, "580.65", "GPU-0"),
        Gpu("Old module's", "7.5", 1 << 30, "580.65", "GPU-1"),
    )
    assert not fake.open


def test_a_gpu_that_shares_the_machine_s_memory_has_none_and_no_uuid(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, FakeNvml(ORIN))
    assert nvml.driver_gpus() == (Gpu("Orin", "8.7", 0, "580.65", ""),)


def test_a_gpu_that_does_not_answer_is_there_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeNvml(CARD, CARD)
    install(monkeypatch, fake)

    def lost(index: int) -> tuple[int, int]:
        if index:
            raise fake.NVMLError("GPU is lost")
        return 8, 6

    monkeypatch.setattr(fake, "nvmlDeviceGetCudaComputeCapability", lost)
    gpus = nvml.driver_gpus()
    assert gpus is not None
    assert [gpu.name for gpu in gpus] == ["Some card", "NVIDIA GPU 1"]


@pytest.mark.parametrize("fake", [None, FakeNvml(CARD, driver=False)])
def test_without_module_or_driver_nobody_knows(fake: FakeNvml | None, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, fake)
    assert nvml.driver_gpus() is None
    assert ("pip install" in nvml.how_to_tell()) == (fake is None)


def test_a_driver_that_breaks_off_is_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeNvml(CARD)
    install(monkeypatch, fake)

    def breaks() -> int:
        raise fake.NVMLError("Unknown Error")

    monkeypatch.setattr(fake, "nvmlDeviceGetCount", breaks)
    assert nvml.driver_gpus() is None
    assert not fake.open


def test_only_this_process_s_memory_counts_as_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeNvml(CARD)
    install(monkeypatch, fake)
    running = [types.SimpleNamespace(pid=1, usedGpuMemory=5), types.SimpleNamespace(pid=2, usedGpuMemory=7)]
    monkeypatch.setattr(fake, "nvmlDeviceGetComputeRunningProcesses", lambda handle: running, raising=False)
    monkeypatch.setattr(fake, "nvmlDeviceGetHandleByUUID", lambda uuid: int(uuid[-1]), raising=False)
    assert nvml.NvmlMemory(pid=2).process_bytes() == 7
    assert nvml.NvmlMemory("GPU-0", pid=1).process_bytes() == 5
    assert nvml.NvmlMemory(pid=3).process_bytes() is None, "it has not touched the GPU yet"
    running[0].usedGpuMemory = None
    assert nvml.NvmlMemory(pid=1).process_bytes() is None, "the driver does not tell"


@pytest.mark.parametrize(
    ("value", "unit", "size"), [(3, 1, 3), (3, 1024, 3072), (0, 1, 0), (-1, 1, None), (True, 1, None), ("3", 1, None)]
)
def test_a_size_is_a_whole_number_from_zero_on(value: object, unit: int, size: int | None) -> None:
    assert nvml.size_of(value, unit) == size
