"""ONNX Runtime sessions as EdgeKit wants them: few threads, little memory, and one clear error."""

from __future__ import annotations

import importlib.metadata
import os
from pathlib import Path
from typing import Any, Literal

import onnxruntime as ort

from edgekit.errors import EngineError, MissingExtra

Provider = Literal["cpu", "cuda"]


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def options(threads: int | None = None) -> Any:
    """Session options: all cores, no memory pattern (it holds the largest shape's scratch for good)."""
    made = ort.SessionOptions()
    made.intra_op_num_threads = threads or cores()
    made.inter_op_num_threads = 1
    made.enable_mem_pattern = False
    made.log_severity_level = 3
    return made


def open_session(path: Path, provider: Provider, made: Any = None) -> Any:
    """Open a graph; :class:`EngineError` names it and keeps the runtime's own reason."""
    try:
        return ort.InferenceSession(str(path), made or options(), providers=_providers(provider))
    except EngineError:
        raise
    except Exception as error:  # the runtime's errors share no public base class
        raise EngineError(
            f"{path}: ONNX Runtime {ort.__version__} can't load this graph: {first_line(error)}",
            "Check the bundle (edgekit inspect BUNDLE --verify), or build it again.",
        ) from error


def first_line(error: Exception) -> str:
    """The first line of a runtime's message, without its source paths."""
    text = str(error).strip().splitlines() or [type(error).__name__]
    return text[0].rsplit(" : ", 1)[-1][:300]


def _providers(provider: Provider) -> list[Any]:
    if provider == "cpu":
        return ["CPUExecutionProvider"]
    if "CUDAExecutionProvider" not in ort.get_available_providers():
        refuse_two_runtimes()
        raise MissingExtra("Running on an NVIDIA GPU", "gpu")
    settings = {"arena_extend_strategy": "kSameAsRequested", "cudnn_conv_algo_search": "HEURISTIC"}
    return [("CUDAExecutionProvider", settings), "CPUExecutionProvider"]


def refuse_two_runtimes() -> None:
    """onnxruntime and onnxruntime-gpu write over each other's files: installed both, one is broken."""
    installed = [name for name in ("onnxruntime", "onnxruntime-gpu") if _is_installed(name)]
    if len(installed) > 1:
        raise EngineError(
            "onnxruntime and onnxruntime-gpu are both installed and overwrite each other",
            "Run: pip uninstall -y onnxruntime onnxruntime-gpu && pip install --no-cache-dir onnxruntime-gpu",
        )


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
