"""What cuda-python tells, with a stand-in for it: the driver's CUDA, and the number of a GPU."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from edgekit.errors import EngineError
from edgekit.machine.cuda import driver_cuda, ordinal
from edgekit.machine.gpus import VISIBLE, Gpu

FIRST, SECOND = "GPU-00000000-0000-0000-0000-00000000000a", "GPU-3f2b9c1e-0a77-4d12-9c55-6b1f0e2d8a34"
CARD = Gpu("NVIDIA GeForce RTX 3050", "8.6", 6 * 2**30, "580.95.05", SECOND)


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (VISIBLE, "CUDA_DEVICE_ORDER"):
        monkeypatch.delenv(name, raising=False)


def install(monkeypatch: pytest.MonkeyPatch, **calls: Any) -> None:
    bindings, runtime = ModuleType("cuda.bindings"), SimpleNamespace(**calls)
    bindings.runtime = runtime  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cuda", ModuleType("cuda"))
    monkeypatch.setitem(sys.modules, "cuda.bindings", bindings)


def counting(monkeypatch: pytest.MonkeyPatch, *uuids: str, error: int = 0) -> None:
    """CUDA shows GPUs of these UUIDs, in this order."""
    properties = [
        SimpleNamespace(uuid=SimpleNamespace(bytes=bytes.fromhex(uuid[4:].replace("-", "")))) for uuid in uuids
    ]
    install(
        monkeypatch,
        cudaGetDeviceCount=lambda: (error, len(properties)),
        cudaGetDeviceProperties=lambda index: (0, properties[index]),
    )


@pytest.mark.parametrize(("driver", "version"), [(12060, "12.6"), (13000, "13.0"), (0, "")])
def test_plans_are_bound_to_the_cuda_of_the_driver(driver: int, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """cuda-python tells its own, which another wheel would change under good plans."""
    install(
        monkeypatch,
        cudaDriverGetVersion=lambda: (0, driver),
        cudaRuntimeGetVersion=lambda: (0, 13040),
    )
    assert driver_cuda() == version


def test_without_cuda_python_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cuda.bindings", None)
    assert driver_cuda() == ""
    assert ordinal(CARD) == 0


def test_a_gpu_is_found_by_its_uuid_however_cuda_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    counting(monkeypatch, FIRST, SECOND)
    assert ordinal(CARD) == 1
    counting(monkeypatch, SECOND, FIRST)
    assert ordinal(CARD) == 0


def test_where_there_is_no_choice_it_is_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    counting(monkeypatch, FIRST, SECOND)
    assert ordinal(None) == ordinal(Gpu("NVIDIA Jetson AGX Orin (integrated)", "8.7")) == 0
    counting(monkeypatch, FIRST)
    assert ordinal(CARD) == 0  # a part of it, say, which has a UUID of its own
    counting(monkeypatch, FIRST, SECOND, error=35)
    assert ordinal(CARD) == 0
    counting(monkeypatch, FIRST, SECOND)
    monkeypatch.setenv(VISIBLE, "MIG-3eb87630")
    assert ordinal(CARD) == 0


def test_a_number_that_is_another_gpu_to_cuda_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    counting(monkeypatch, FIRST)
    monkeypatch.setenv(VISIBLE, "1")
    with pytest.raises(EngineError, match=f"{VISIBLE}=1 is NVIDIA GeForce RTX 3050 to nvidia-smi") as failure:
        ordinal(CARD)
    assert failure.value.hint == f"Run: export {VISIBLE}={SECOND}, or CUDA_DEVICE_ORDER=PCI_BUS_ID"
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "FASTEST_FIRST")
    assert ordinal(CARD) == 0  # numbers by speed are CUDA's to know
