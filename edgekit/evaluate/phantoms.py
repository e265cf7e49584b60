"""Ask a model about phantoms."""

from __future__ import annotations

from edgekit.evaluate.answers import correct, names_every_finding

__all__ = ["correct", "names_every_finding"]
