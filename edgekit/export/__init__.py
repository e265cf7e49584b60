"""Exporting: a checkpoint becomes ONNX graphs, and the embedding table beside them."""

from __future__ import annotations

from edgekit.export.export import build_graphs, export
from edgekit.target.kinds import Activations

__all__ = ["Activations", "build_graphs", "export"]
