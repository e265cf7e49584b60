"""What a bundle's confidence is worth, as tables: what is promised, and how well scores tell mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgekit.console import Console

if TYPE_CHECKING:
    from edgekit.confidence.calibrate import Calibrated


def show_calibrated(console: Console, names: Sequence[str], calibrated: Sequence[Calibrated]) -> None:
    """Show each bundle's promises, or why there are none, and its figures."""
    for name, each in zip(names, calibrated, strict=True):
        console.print(f"\nConfidence of {name}, by {each.answers} answers to {each.confidence.data}")
        rows = [
            [f"{promise.error:.0%}", *_kept(promise.threshold, promise.coverage), promise.reason or ""]
            for promise in each.confidence.promises
        ]
        console.table(["at most wrong", "from score", "answers given", "not promised, as"], rows)
        rows = [
            [f"{one.error:.0%}", f"{one.coverage:.1%}", f"{one.interval[0]:.1%} to {one.interval[1]:.1%}"]
            for one in each.coverages
        ]
        console.table(["wrong", "answers given", "95 % interval"], rows, right=["wrong", "answers given"])
        console.print(
            f"{each.error:.1%} of all answers are wrong; area under risk and coverage {each.curve.area:.2%}; "
            f"calibration error {each.before:.1%}, with temperature {each.confidence.temperature:g} {each.after:.1%}"
        )
        pictures = each.confidence.pictures
        console.print(
            f"Pictures unlike these {pictures.count} are told"
            if pictures
            else "Which pictures are unlike these is not told: they are too few"
        )
        if each.without:
            console.print(f"{each.without} questions have no confidence, and don't count here")


def _kept(threshold: float | None, coverage: float) -> tuple[str, str]:
    return ("", "") if threshold is None else (f"{threshold:.6f}", f"{coverage:.1%}")
