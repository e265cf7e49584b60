"""In which order the lines of an arena move when it is laid out anew, so that none is written over before it has moved.

An arena is one matrix: a line for every layer, row and head, ``old`` places long and to become ``new``. Its lines move
apart from the last to the first, or together from the first to the last; as many at once as clear the others, so that
a doubling takes about log₂(lines) copies. Lines that would land on themselves go through a spare.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Move:
    """``count`` lines from line ``first`` on, at once; by way of the spare, or straight where the two don't overlap."""

    first: int
    count: int
    spared: bool


def moves(lines: int, old: int, new: int, width: int, spare: int) -> Iterator[Move]:
    """How ``lines`` lines go from pitch ``old`` to ``new``, of which the first ``width`` places hold something.

    All are in one unit; ``spare`` is how many lines' width the spare holds, at least 1. Line 0 stays where it is.
    """
    assert 0 < width <= min(old, new)
    if new > old:
        yield from _apart(lines, old, new, width, spare)
    elif new < old:
        yield from _together(lines, old, new, width, spare)


def _apart(lines: int, old: int, new: int, width: int, spare: int) -> Iterator[Move]:
    end = lines
    while end > 1:
        clear = -(-((end - 1) * old + width) // new)  # the first line that lands behind all that is still to move
        first = max(1, clear if clear < end else end - spare)
        yield Move(first, end - first, clear >= end)
        end = first


def _together(lines: int, old: int, new: int, width: int, spare: int) -> Iterator[Move]:
    first = 1
    while first < lines:
        clear = (first * old - width) // new + 1  # the first line that would land on what is still to move
        end = min(lines, clear if clear > first else first + spare)
        yield Move(first, end - first, clear <= first)
        first = end
