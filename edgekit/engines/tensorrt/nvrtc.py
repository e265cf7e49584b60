"""CUDA's compiler of kernels at run time, through cuda-python; no GPU is needed to compile for one."""

from __future__ import annotations

from typing import Any

from edgekit.errors import EngineError


def cubin(nvrtc: Any, source: str, name: str, capability: str) -> bytes:
    """Machine code of ``source`` for GPUs of a compute capability ("86"). Not PTX: that could be newer than the driver
    can read. :class:`EngineError` where it can't be compiled, and whatever cuda-python raises without NVRTC."""
    program = _do(nvrtc.nvrtcCreateProgram(source.encode(), name.encode(), 0, [], []))
    try:
        _do(nvrtc.nvrtcCompileProgram(program, 1, [f"--gpu-architecture=sm_{capability}".encode()]))
        image = bytes(_do(nvrtc.nvrtcGetCUBINSize(program)))
        _do(nvrtc.nvrtcGetCUBIN(program, image))
    finally:
        nvrtc.nvrtcDestroyProgram(program)
    return image


def _do(result: tuple[Any, ...]) -> Any:
    status, *rest = result
    if int(status) != 0:  # NVRTC_SUCCESS
        raise EngineError(f"NVRTC failed: {getattr(status, 'name', status)}")
    return rest[0] if rest else None
