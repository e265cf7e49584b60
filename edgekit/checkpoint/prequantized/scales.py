"""Others' scales as EdgeKit's: which groups they are for, and whether float16 holds them.

EdgeKit's groups are of 32, 64 or 128 inputs. A scale for a whole row, or for several groups of 128, is as many equal
scales: nothing is lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.checkpoint.packed import Array, groups

GROUPS = (32, 64, 128)
WHOLE_ROW = -1
_ANY_SCALE = np.float16(2.0**-14)  # of a group whose weights are all zero, as in edgekit.quantize.rtn


def is_kept(size: int) -> bool:
    """Tell whether one scale per ``size`` inputs can be told in EdgeKit's groups."""
    return size in GROUPS or size == WHOLE_ROW or (size > 0 and size % max(GROUPS) == 0)


@dataclass(frozen=True)
class Grouping:
    """``k`` inputs with one scale per ``size`` of them, or for all where that is :data:`WHOLE_ROW`."""

    k: int
    size: int

    @property
    def stored(self) -> int:
        """How many scales a row has in the file."""
        return 1 if self.size == WHOLE_ROW else groups(self.k, self.size)

    @property
    def group(self) -> int:
        """Inputs per scale, as EdgeKit has it."""
        return self.size if self.size in GROUPS else max(GROUPS)

    @property
    def count(self) -> int:
        """How many scales a row has in EdgeKit."""
        return groups(self.k, self.group)

    def spread(self, values: Array) -> Array:
        """Spread ``[n, stored]`` to ``[n, count]``: each group's value, a copy."""
        size = self.k if self.size == WHOLE_ROW else self.size
        spread: Array = values[:, np.arange(self.count) * self.group // size]
        return spread


def scale_misfit(scales: Array) -> str:
    """Return why ``scales`` can't be EdgeKit's, which are positive and of float16; "" where they can.

    A negative scale can't be turned around: its code -8 would become 8. Zeros are dealt with in :func:`positive`.
    """
    if (scales < 0).any():
        return "negative scales"
    if scales.dtype != np.float16:
        with np.errstate(over="ignore"):
            held = scales.astype(np.float16).astype(np.float32) == scales.astype(np.float32)
        if not held.all():
            return f"scales in {scales.dtype} that float16 can't hold"
    return ""


def positive(scales: Array) -> tuple[Array, Array]:
    """Return scales as float16 with a positive one in place of zero, and where that was: such weights are zero."""
    held = scales.astype(np.float16)
    nothing: Array = held == 0
    held[nothing] = _ANY_SCALE
    return held, nothing
