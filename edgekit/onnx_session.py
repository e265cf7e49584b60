"""ONNX Runtime sessions as EdgeKit wants them: few threads, little memory, and one clear error."""

from __future__ import annotations

import importlib.metadata
from functools import cache
from pathlib import Path
from typing import Any, Literal

import onnxruntime as ort
from packaging.version import Version

from edgekit import machine
from edgekit.errors import EdgeKitError, EngineError, MissingExtra, gist
from edgekit.machine.detect import cpu_features
from edgekit.machine.system import architecture, cores

Provider = Literal["cpu", "cuda"]
_EXACT = frozenset(["avx_vnni", "avx512_vnni", "amx_int8"])  # these add products of int8 in 32 bits
# NodeProto.op_type of onnx.proto: field 4, the length, the name. So a graph tells without being read as one.
_PRODUCTS = tuple(
    bytes([4 << 3 | 2, len(name)]) + name.encode() for name in ("DynamicQuantizeMatMul", "MatMulIntegerToFloat")
)
ZERO_POINT = ".weight.zero_point"
"""How the names of int8 weights' zero points end. Each is 0, yet it has to be there: :func:`_make_exact`."""
_NEEDS_NO_ZERO_POINT = (1, 30)


_threads: int | None = None


def use_threads(threads: int | None) -> None:
    """Have the sessions that this process opens from now on compute in so many threads; None: one for each core."""
    global _threads
    _threads = threads


def options(threads: int | None = None, *, final: bool = False) -> Any:
    """Return session options: all cores, or what :func:`use_threads` says; no memory pattern (it holds the largest
    shape's scratch for good).

    ``final`` for graphs that have been optimized already and must be taken as they are.
    """
    session_options = ort.SessionOptions()
    if final:
        session_options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session_options.intra_op_num_threads = threads or _threads or cores()
    session_options.inter_op_num_threads = 1
    session_options.enable_mem_pattern = False
    session_options.log_severity_level = 4  # what it logs as an error it also raises
    return session_options


@cache
def sums_saturate() -> bool:
    """Tell whether this processor adds products of uint8 and int8 in 16 bits, which overflow: x86-64 without VNNI.

    The runtime can avoid that there, with weights as uint8. It would do so with VNNI too, where it takes 1.4 times
    as long for the same answer; so it is asked for only here.
    """
    return architecture() == "x86_64" and not _EXACT.intersection(cpu_features())


@cache
def multiplies_float16() -> bool:
    """Tell whether ONNX Runtime multiplies and adds float16 as such on this processor: aarch64 with half precision.

    Elsewhere it computes such graphs in float32. See core/mlas of its source: HalfGemm has kernels for NEON alone.
    """
    return "asimdhp" in cpu_features()


def multiplies_int8(graph: bytes) -> bool:
    """Tell whether a serialized graph rounds activations to 8 bits and multiplies them with int8 weights."""
    return any(product in graph for product in _PRODUCTS)


def giving_back() -> Any:
    """Run options for rare and large calls: their scratch (60 MiB for an image) is not kept for the next one."""
    run_options = ort.RunOptions()
    run_options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return run_options


def open_graph(graph: Path | bytes, provider: Provider, session_options: Any = None, ordinal: int = 0) -> Any:
    """Open a graph, a file or its bytes; :class:`EngineError` names it and keeps the runtime's own reason.

    :class:`MissingExtra` where the provider is not installed.
    """
    source, path = (graph, "A part of a graph") if isinstance(graph, bytes) else (str(graph), graph)
    session_options = session_options or options()
    try:
        if sums_saturate():
            _make_exact(session_options, _content(graph), str(path))
        # The runtime's own way of going on without a GPU prints to stdout, and leaves a service ten times slower.
        session = ort.InferenceSession(
            source, session_options, providers=_providers(provider, ordinal), enable_fallback=0
        )
        if provider == "cuda" and "CUDAExecutionProvider" not in session.get_providers():
            raise EngineError(
                f"ONNX Runtime {ort.__version__} can't load its CUDA provider", "Run: edgekit doctor --target TARGET"
            )
        return session
    except EdgeKitError:
        raise
    except Exception as error:  # the runtime's errors share no public base class
        raise EngineError(
            f"{path}: ONNX Runtime {ort.__version__} can't load this graph: {first_line(error)}",
            "Check the bundle (edgekit inspect BUNDLE --verify), or build it again.",
        ) from error


def _content(graph: Path | bytes) -> bytes:
    """A graph without its weights; b"" where it can't be read, which the runtime says better."""
    if isinstance(graph, bytes):
        return graph
    try:
        return graph.read_bytes()
    except OSError:
        return b""


def _make_exact(session_options: Any, graph: bytes, path: str) -> None:
    """Have int8 products summed exactly where this graph has any.

    Others must not have the option: it makes the weights of DequantizeLinear uint8 too, and gives those of a channel or
    a block a zero point of the wrong shape, which fails as the graph is run. Before 1.30 the runtime passes over a
    product without a zero point beside its weights, or ends the process; bundles that were built earlier have none.
    """
    if not multiplies_int8(graph):
        return
    if runtime_version() < _NEEDS_NO_ZERO_POINT and ZERO_POINT.encode() not in graph:
        raise EngineError(
            f"{path}: on a processor without VNNI, ONNX Runtime {ort.__version__} computes this graph's int8 products "
            "wrong: it was built by an older EdgeKit, which gave their weights no zero points",
            "Run: pip install 'onnxruntime>=1.30'. Or build the bundle again.",
        )
    session_options.add_session_config_entry("session.x64quantprecision", "1")


def runtime_version() -> tuple[int, int]:
    """Return the installed runtime's version, as far as it decides what it can do: (1, 32)."""
    major, minor, *_ = Version(ort.__version__).release
    return major, minor


def first_line(error: Exception) -> str:
    """Return the first line of a runtime's message, without its codes; where it is long, its start and its end."""
    text = str(error).strip().splitlines() or [type(error).__name__]
    return gist(text[0].rsplit(" : ", 1)[-1])


def fastest() -> Provider:
    """Return CUDA where this installation has it and there is a GPU, else the CPU: for work that may run on either."""
    return "cuda" if "CUDAExecutionProvider" in ort.get_available_providers() and machine.look().gpus else "cpu"


def _providers(provider: Provider, ordinal: int) -> list[Any]:
    if provider == "cpu":
        return ["CPUExecutionProvider"]
    if "CUDAExecutionProvider" not in ort.get_available_providers():
        refuse_two_runtimes()
        raise MissingExtra("Running on an NVIDIA GPU", "gpu")
    settings = {"device_id": str(ordinal)}
    settings |= {"arena_extend_strategy": "kSameAsRequested", "cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}
    return [("CUDAExecutionProvider", settings), "CPUExecutionProvider"]


def refuse_two_runtimes() -> None:
    """Raise where onnxruntime and onnxruntime-gpu are both installed: they write over each other's files,
    and one is broken.
    """
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
