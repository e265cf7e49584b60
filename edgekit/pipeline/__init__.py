"""The way from a checkpoint to a sealed bundle, and what a machine makes of a bundle for itself."""

from edgekit.pipeline.built import Built
from edgekit.pipeline.prepared import Prepared, prepare
from edgekit.pipeline.stages import build, export_graphs

__all__ = ["Built", "Prepared", "build", "export_graphs", "prepare"]
