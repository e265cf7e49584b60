"""What was exported, and what to look at before it goes anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit.console import Console

if TYPE_CHECKING:
    from edgekit.ward.corrections import ExportedFeedback


def show_exported(console: Console, exported: ExportedFeedback) -> None:
    """Show how many answers are agreed upon, how many lie apart, and what they may still hold."""
    if not exported.rows + exported.undecided:
        console.print(f"Nobody has judged an answer yet: {exported.folder} is empty.")
        return
    console.print(f"{exported.folder}: answers that doctors agree on: {exported.rows}, pictures: {exported.pictures}.")
    if exported.undecided:
        console.print(f"{exported.undecided} others lie in {exported.folder / 'undecided'}, for somebody to decide.")
    console.print("Questions and answers are as they were written: read them before they leave the hospital.")
