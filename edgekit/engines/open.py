"""Which engine runs a bundle on this machine, and in which form of its graphs."""

from __future__ import annotations

from edgekit.bundle import Bundle
from edgekit.engines.base import Engine
from edgekit.engines.onnxruntime import OnnxRuntimeEngine


def open_engine(bundle: Bundle, slots: int) -> Engine:
    """The engine that the bundle's target names, with ``slots`` rows of KV.

    :class:`~edgekit.errors.EngineError` or :class:`~edgekit.errors.MissingExtra` where this machine can't.
    """
    provider = "cpu" if bundle.manifest.target.engine == "onnxruntime" else "cuda"
    return OnnxRuntimeEngine(bundle, bundle.path / "graphs", slots, provider)
