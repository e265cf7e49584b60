"""Which bundle fits a device best, and what is given up, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit.console import Console

if TYPE_CHECKING:
    from edgekit.report.choose import Choice


def show_choice(console: Console, choice: Choice) -> None:
    """Show the bundle first, then what others have over it or save."""
    console.print(f"{choice.chosen}: {choice.accuracy:.1f} %, the mean of {', '.join(choice.columns)}")
    for title, sentences in (
        ("Given up", choice.given_up),
        ("Cheaper", choice.cheaper),
        ("Not compared", choice.not_compared),
    ):
        for sentence in sentences:
            console.print(f"{title}: {sentence}")
