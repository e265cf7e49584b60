"""The golden check: a bundle's own engine, on this machine, beside the model that the bundle was made of."""

from __future__ import annotations

from edgekit.check.check import check
from edgekit.check.checked import Checked, CheckedComponent, require_answers

__all__ = ["Checked", "CheckedComponent", "check", "require_answers"]
