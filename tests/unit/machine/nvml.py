"""A stand-in for NVML's Python module."""

from __future__ import annotations

import types


class FakeNvml(types.ModuleType):
    """NVML's module as a machine with the given GPUs shows it: (name, compute capability, memory).

    Memory 0 is for a GPU that shares the machine's.
    """

    class NVMLError(Exception):
        pass

    class NVMLError_NotSupported(NVMLError):
        pass

    def __init__(self, *gpus: tuple[str | bytes, tuple[int, int], int], driver: bool = True) -> None:
        super().__init__("pynvml")
        self.gpus, self.driver, self.open = gpus, driver, False

    def nvmlInit(self) -> None:
        if not self.driver:
            raise self.NVMLError("NVML Shared Library Not Found")
        self.open = True

    def nvmlShutdown(self) -> None:
        self.open = False

    def nvmlSystemGetDriverVersion(self) -> bytes:
        return b"580.65"

    def nvmlDeviceGetCount(self) -> int:
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetName(self, index: int) -> str | bytes:
        return self.gpus[index][0]

    def nvmlDeviceGetUUID(self, index: int) -> str:
        return f"GPU-{index}"

    def nvmlDeviceGetCudaComputeCapability(self, index: int) -> tuple[int, int]:
        return self.gpus[index][1]

    def nvmlDeviceGetMemoryInfo(self, index: int) -> types.SimpleNamespace:
        if not self.gpus[index][2]:
            raise self.NVMLError_NotSupported("Not Supported")
        return types.SimpleNamespace(total=self.gpus[index][2])
