"""Exporting: a checkpoint becomes ONNX graphs, and the embedding table beside them."""

from __future__ import annotations

from edgekit.export.export import Activations, build_graphs, export

__all__ = ["Activations", "build_graphs", "export"]
