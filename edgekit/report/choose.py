"""Which bundle a device gets: the most accurate one that fits, and what is given up by taking it.

In: what was measured of bundles, and what the device has. Accuracy is the mean of those columns of Table I that all
bundles have, so that no bundle is better for having been asked less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgekit import config
from edgekit.errors import GateRefused, InputError
from edgekit.report.paper.measured import Measured
from edgekit.units import format_bytes


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a device has for a bundle, in memory while it answers and on disk, and how long the first token may take.

    None: as much as it likes.
    """

    memory_bytes: int
    disk_bytes: int | None = None
    first_token_ms: float | None = None


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The bundle that is ``chosen``, with its ``accuracy`` in percent over ``columns``.

    * ``given_up``: what more accurate bundles have over it, and why they don't fit
    * ``cheaper``: what would be saved by less accurate ones, and what they lose
    * ``not_compared``: bundles that lack a figure, and which
    """

    chosen: str
    accuracy: float
    columns: tuple[str, ...]
    given_up: tuple[str, ...]
    cheaper: tuple[str, ...]
    not_compared: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return the choice as JSON has it."""
        document: dict[str, Any] = config.dump(self)
        return document


def choose(measured: Sequence[Measured], limits: Limits) -> Choice:
    """Choose the most accurate bundle that fits, of equally accurate ones the smallest.

    :class:`InputError` where none has the figures that it takes; :class:`GateRefused`, with what would fit, where none
    fits.
    """
    lacking = {each.name: lack for each in measured if (lack := _lacks(each, limits))}
    compared = [each for each in measured if each.name not in lacking]
    not_compared = tuple(f"{name} has no {', no '.join(lack)}" for name, lack in lacking.items())
    columns = tuple(sorted(set.intersection(*(set(each.accuracy) for each in compared)))) if compared else ()
    if not columns:
        lacks = "; ".join(not_compared) or "no set was asked of all of them"
        raise InputError(
            f"Nothing can be chosen: {lacks}",
            "Give evaluations of one set, and profiles or plans, of the bundles to choose from.",
        )
    ranked = sorted(compared, key=lambda each: (-_accuracy(each, columns), _memory(each)))
    fitting = [each for each in ranked if not _beyond(each, limits)]
    if not fitting:
        nearest = min(ranked, key=_memory)
        raise GateRefused(
            f"None of {len(ranked)} bundles fits: " + "; ".join(f"{e.name} {_beyond(e, limits)}" for e in ranked),
            f"The smallest, {nearest.name}, takes {format_bytes(_memory(nearest))} of memory: "
            "build a smaller recipe, or give a larger device.",
        )
    best = fitting[0]
    return Choice(
        chosen=best.name,
        accuracy=_accuracy(best, columns),
        columns=columns,
        given_up=tuple(
            f"{each.name} {_difference(each, best, columns)}, but {_beyond(each, limits)}"
            for each in ranked[: ranked.index(best)]
        ),
        cheaper=tuple(
            f"{each.name} {_difference(each, best, columns)}, and saves {format_bytes(_memory(best) - _memory(each))} "
            "of memory"
            for each in ranked
            if each is not best and _memory(each) < _memory(best)
        ),
        not_compared=not_compared,
    )


def _lacks(measured: Measured, limits: Limits) -> list[str]:
    wanted: list[tuple[str, object]] = [("accuracy", measured.accuracy), ("dynamic memory", measured.dynamic_bytes)]
    if limits.disk_bytes is not None:
        wanted.append(("size on disk", measured.disk_bytes))
    if limits.first_token_ms is not None:
        wanted.append(("time to its first token", measured.first_token_ms))
    return [name for name, figure in wanted if not figure]


def _memory(measured: Measured) -> float:
    assert measured.dynamic_bytes is not None, "bundles without are not compared"
    return measured.dynamic_bytes.value


def _accuracy(measured: Measured, columns: Sequence[str]) -> float:
    return sum(measured.accuracy[column].value for column in columns) / len(columns)


def _beyond(measured: Measured, limits: Limits) -> str:
    """By how much a bundle passes the limits; empty where it fits."""
    said = []
    over = _memory(measured) - limits.memory_bytes
    if over > 0:
        said.append(f"takes {format_bytes(over)} of memory too much")
    if limits.disk_bytes is not None and measured.disk_bytes is not None:
        over = measured.disk_bytes.value - limits.disk_bytes
        if over > 0:
            said.append(f"takes {format_bytes(over)} of disk too much")
    if limits.first_token_ms is not None and measured.first_token_ms is not None:
        late = measured.first_token_ms.value - limits.first_token_ms
        if late > 0:
            said.append(f"has its first token {late:.0f} ms too late")
    return ", ".join(said)


def _difference(other: Measured, best: Measured, columns: Sequence[str]) -> str:
    """How much more or less accurate another is, and whether its intervals tell."""
    points = _accuracy(other, columns) - _accuracy(best, columns)
    said = f"is {abs(points):.1f} points {'more' if points >= 0 else 'less'} accurate"
    told = [_apart(other, best, column) for column in columns]
    return said if all(told) else f"{said} (within the intervals)"


def _apart(other: Measured, best: Measured, column: str) -> bool:
    """Whether two intervals of a column part; where one is not told, they may not."""
    first, second = other.accuracy[column].interval, best.accuracy[column].interval
    return first is not None and second is not None and (first[0] > second[1] or second[0] > first[1])
