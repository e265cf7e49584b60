"""NVML, jtop and /proc/meminfo as they answer, refuse and talk garbage."""

from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from edgekit.machine.detect import Machine
from edgekit.machine.gpu_memory import JtopMemory, MeminfoMemory, _opened, gpu_memory
from edgekit.machine.gpus import Gpu
from edgekit.machine.nvml import NvmlMemory
from edgekit.units import GIB, KIB

PC = Machine(
    system="Linux",
    arch="x86_64",
    cpu="",
    cores=8,
    features=(),
    memory_bytes=16 * GIB,
    gpus=(Gpu("NVIDIA GeForce RTX 3050", "8.6", 6 * GIB),),
)
ORIN = Machine(
    system="Linux",
    arch="aarch64",
    cpu="",
    cores=12,
    features=(),
    memory_bytes=61 * GIB,
    gpus=(Gpu("Orin"),),
    jetson="Jetson AGX Orin",
    l4t="36.4.3",
)
PLAIN = Machine(system="Linux", arch="x86_64", cpu="", cores=2, features=(), memory_bytes=8 * GIB)
# `cat /proc/meminfo` of an AGX Orin, in KiB.
MEMINFO = "MemTotal:       64349340 kB\nMemFree:        50000000 kB\nMemAvailable:   60349340 kB\n"


class NVMLError(Exception):
    """As pynvml's: a number that prints as text."""


def nvml(monkeypatch: pytest.MonkeyPatch, processes: Any = (), used: Any = 900_000_000, fails: str = "") -> list[str]:
    """Install a pynvml; the calls that were made. ``fails`` names a function that raises."""
    module, calls = ModuleType("pynvml"), []

    def function(name: str, answer: Any) -> Any:
        def call(*arguments: object) -> Any:
            calls.append(name)
            if name == fails:
                raise NVMLError("Driver Not Loaded")
            return answer

        return call

    for name, answer in {
        "nvmlInit": None,
        "nvmlShutdown": None,
        "nvmlDeviceGetHandleByIndex": "handle",
        "nvmlDeviceGetHandleByUUID": "handle",
        "nvmlDeviceGetComputeRunningProcesses": processes,
        "nvmlDeviceGetMemoryInfo": SimpleNamespace(total=6 * GIB, used=used, free=0),
    }.items():
        setattr(module, name, function(name, answer))
    module.NVMLError = NVMLError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pynvml", module)
    return calls


def process(pid: int, used: Any) -> SimpleNamespace:
    return SimpleNamespace(pid=pid, usedGpuMemory=used, gpuInstanceId=0xFFFFFFFF, computeInstanceId=0xFFFFFFFF)


def test_nvml_tells_a_process_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = nvml(monkeypatch, [process(1, 77), process(os.getpid(), 512_000_000)])
    source = gpu_memory(PC)
    assert isinstance(source, NvmlMemory)
    assert source.process_bytes() == 512_000_000
    assert source.total_bytes() == 900_000_000
    source.close()
    assert calls[0] == "nvmlInit"
    assert calls[-1] == "nvmlShutdown"


@pytest.mark.parametrize(
    "processes",
    [[], [process(1, 77)], [process(os.getpid(), None)], [process(os.getpid(), -1)], [process(os.getpid(), "much")]],
    ids=["nobody", "others only", "not available, as on WSL", "negative", "a word"],
)
def test_what_nvml_does_not_tell_of_a_process_is_none(processes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    nvml(monkeypatch, processes)
    assert NvmlMemory().process_bytes() is None


def test_nvml_that_refuses_a_process_still_tells_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml(monkeypatch, fails="nvmlDeviceGetComputeRunningProcesses")
    source = gpu_memory(PC)
    assert source is not None
    assert (source.process_bytes(), source.total_bytes()) == (None, 900_000_000)


def test_of_several_gpus_the_one_that_is_computed_on_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = nvml(monkeypatch)
    assert gpu_memory(replace(PC, gpus=(Gpu("NVIDIA GeForce RTX 3080", "8.6", uuid="GPU-2"),))) is not None
    assert "nvmlDeviceGetHandleByUUID" in calls
    assert "nvmlDeviceGetHandleByIndex" not in calls


@pytest.mark.parametrize("fails", ["nvmlInit", "nvmlDeviceGetHandleByIndex", "nvmlDeviceGetMemoryInfo"])
def test_nvml_without_a_driver_is_passed_over(fails: str, monkeypatch: pytest.MonkeyPatch) -> None:
    nvml(monkeypatch, fails=fails)
    assert gpu_memory(PC) is None


def test_nvml_that_talks_garbage_or_is_not_installed_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml(monkeypatch, used="much")
    assert gpu_memory(PC) is None
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert gpu_memory(PC) is None


class JtopException(Exception):
    pass


ROW = [os.getpid(), "field", "I", "Graphic", 20, "S", 12.5, 800_000, 4_000_000, "python3"]


def jtop(
    monkeypatch: pytest.MonkeyPatch, rows: Any = (ROW,), ram: Any = None, error: Exception | None = None
) -> list[str]:
    """Install a jtop; what was called. ``error`` is raised at the start."""
    module, calls = ModuleType("jtop"), []
    ram_kib = {"tot": 64349340, "used": 6_000_000, "free": 50_000_000, "buffers": 1, "cached": 2, "shared": 3, "lfb": 9}

    class Service:
        def __init__(self, interval: float = 1.0) -> None:
            self.processes = list(rows)
            self.memory = {"RAM": ram_kib if ram is None else ram}

        def start(self) -> None:
            calls.append("start")
            if error:
                raise error

        def close(self) -> None:
            calls.append("close")

    module.jtop, module.JtopException = Service, JtopException  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "jtop", module)
    return calls


@pytest.fixture
def meminfo(tmp_path: Path) -> Path:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text(MEMINFO)
    return tmp_path


def test_jtop_tells_a_process_s_gpu_memory_in_kib(monkeypatch: pytest.MonkeyPatch, meminfo: Path) -> None:
    calls = jtop(monkeypatch, [[1, "root", "I", "Graphic", 20, "S", 0.0, 1, 99, "Xorg"], ROW])
    source = gpu_memory(ORIN, meminfo)
    assert isinstance(source, JtopMemory)
    assert source.process_bytes() == 4_000_000 * KIB
    assert source.total_bytes() == 6_000_000 * KIB
    source.close()
    assert calls == ["start", "close"]


@pytest.mark.parametrize(
    "rows",
    [[], [[]], [[os.getpid()]], [[*ROW[:8], None, "python3"]], [[*ROW[:8], "4M", "python3"]]],
    ids=["nobody", "an empty row", "a short row", "nothing", "a word"],
)
def test_what_jtop_does_not_tell_of_a_process_is_none(rows: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    jtop(monkeypatch, rows)
    assert JtopMemory().process_bytes() is None


@pytest.mark.parametrize(
    "error",
    [
        JtopException("The jtop.service is not active. Please run:\nsudo jtop --install-service"),
        JtopException("I can't access jtop.service.\nPlease logout or reboot this board."),
        PermissionError("/run/jtop.sock"),
    ],
    ids=["no service", "not in its group", "no permission"],
)
def test_without_jtop_the_memory_that_all_share_has_to_do(
    error: Exception, monkeypatch: pytest.MonkeyPatch, meminfo: Path
) -> None:
    jtop(monkeypatch, error=error)
    source = gpu_memory(ORIN, meminfo)
    assert isinstance(source, MeminfoMemory)
    assert source.process_bytes() is None
    assert source.total_bytes() == 4_000_000 * KIB


@pytest.mark.parametrize("ram", [{}, {"used": None}, []], ids=["no keys", "nothing", "a list"])
def test_jtop_that_talks_garbage_is_passed_over(ram: Any, monkeypatch: pytest.MonkeyPatch, meminfo: Path) -> None:
    jtop(monkeypatch, ram=ram)
    assert isinstance(gpu_memory(ORIN, meminfo), MeminfoMemory)


def test_a_jetson_that_tells_nothing_and_a_machine_without_a_gpu(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "jtop", None)
    assert gpu_memory(ORIN, tmp_path) is None
    assert gpu_memory(PLAIN, tmp_path) is None


@pytest.mark.parametrize("text", ["", "MemTotal: much kB\nMemAvailable: 5 kB\n", "MemTotal: 5 kB\n"])
def test_a_meminfo_that_does_not_tell_is_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text(text)
    assert MeminfoMemory(tmp_path).total_bytes() == 0


def test_a_service_that_hangs_is_passed_over() -> None:
    released = threading.Event()

    class Hanging:
        source = "jtop"

        def __init__(self) -> None:
            released.wait(30)
            raise OSError("too late")

    began = time.monotonic()
    assert _opened(Hanging, seconds=0.1) is None
    assert time.monotonic() - began < 10
    released.set()
    for thread in threading.enumerate():
        if thread.name == "open jtop":
            thread.join(10)  # it logs, and pytest's stream is gone after the test
