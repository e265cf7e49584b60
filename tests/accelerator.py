"""The NVIDIA GPU of this machine, for tests and benchmarks on a device: what they lack here, and a target for it.

No shipped target need know the GPU, and the target is for this machine's processor: nothing is built for another.
"""

from __future__ import annotations

import re

import onnxruntime as ort

from edgekit import machine
from edgekit.engines.tensorrt.api import present
from edgekit.errors import MissingExtra
from edgekit.machine.gpus import Gpu, silence, untold
from edgekit.machine.nvml import how_to_tell
from edgekit.onnx_session import refuse_two_runtimes
from edgekit.target import Target


def lacking_gpu() -> str:
    """Why nothing can run on a GPU here, in a sentence; "" where something can."""
    gpus = machine.look().gpus
    if not gpus:
        return "This machine has no NVIDIA GPU that its driver shows."
    if silent := untold(gpus):
        return f"{silence(silent)}. {how_to_tell()}"
    try:
        from cuda.bindings import runtime  # noqa: F401
    except ImportError:
        return "cuda-python is not installed: each of the extras gpu, rtx, tensorrt and jetson brings it."
    return ""


def lacking_cuda_provider() -> str:
    """Why ONNX Runtime can't compute on a GPU here. :class:`~edgekit.errors.EngineError` where two of it lie over each
    other: that is no choice of anyone's."""
    if "CUDAExecutionProvider" not in ort.get_available_providers():
        refuse_two_runtimes()
        return f"ONNX Runtime {ort.__version__} has no CUDA provider here: onnxruntime-gpu has one (extra gpu)."
    return lacking_gpu()


def lacking_tensorrt() -> str:
    """Why there is no TensorRT here. :class:`~edgekit.errors.EngineError` on a Jetson that has none: its system should
    bring it, and a virtual environment that doesn't see it is a mistake."""
    if lacking := lacking_gpu():
        return lacking
    try:
        present(None)
    except MissingExtra:
        return "There is no TensorRT here: the extra rtx brings one for RTX cards, the extra tensorrt for others."
    return ""


def target_here(engine: str, *, slots: int, context: int = 2048, bandwidth: int = 1) -> Target:
    """A target of this machine's largest GPU, without a budget; a tenth of the memory is left to others."""
    here = machine.look()
    gpu: Gpu = max(here.gpus, key=lambda gpu: gpu.memory_bytes)
    memory = gpu.memory_bytes or here.memory_bytes
    return Target(
        name=re.sub(r"[^a-z0-9]+", "-", gpu.name.lower()).strip("-")[:64],
        title=gpu.name,
        arch="aarch64" if here.arch == "aarch64" else "x86_64",
        memory_bytes=memory,
        unified=not gpu.memory_bytes,
        reserved_bytes=memory // 10,
        bandwidth=bandwidth,
        engine=engine,
        slots=slots,
        context=context,
        container="jetson" if here.jetson else "cuda",
        compute_capability=gpu.compute_capability,
    )
