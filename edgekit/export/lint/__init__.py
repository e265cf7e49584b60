"""What TensorRT would refuse in a graph, or build slowly or wrongly: said in a second, before a compiler's minutes."""

from __future__ import annotations

from edgekit.export.lint.lint import lint, require_clean
from edgekit.export.lint.view import Complaint

__all__ = ["Complaint", "lint", "require_clean"]
