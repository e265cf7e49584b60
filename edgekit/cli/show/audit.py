"""An audit's state for people: how far it goes, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit.console import Console

if TYPE_CHECKING:
    from edgekit.ward.audit.replay import Replayed
    from edgekit.ward.audit.verify import Verified


def show_head(console: Console, verified: Verified) -> None:
    """Show a head on a line of its own, and what it is good for."""
    console.heading(str(verified.head))
    when = f", the last of {verified.last}" if verified.lines else ""
    console.print(f"The audit has {verified.lines} lines{when}. Write this down where the machine's keepers can't")
    console.print("change it: edgekit audit verify --head SEQ:HMAC then finds whatever is taken away.")


def show_verified(console: Console, verified: Verified) -> None:
    """Show how many lines are whole, and when they were written."""
    files = f"{verified.files} file{'' if verified.files == 1 else 's'}"
    span = f", written from {verified.first} to {verified.last}" if verified.lines else ""
    if verified.ok:
        console.print(f"Whole: {verified.lines} lines in {files}{span}.")
        console.print(f"Its head is {verified.head}")
    else:
        console.print(f"Not whole: {verified.lines} lines in {files} are as they were{span}.")
    if verified.torn_bytes:
        console.note(
            f"{verified.torn_bytes} bytes behind the last line are none: a crash left them, of what nobody was told is "
            "done. The next line sets them aside."
        )


def show_replayed(console: Console, replayed: Replayed) -> None:
    """Show whether an answer is the same; why it isn't, or can't be told, is the error's to say."""
    if replayed.line:
        console.print(
            f"Line {replayed.line} of the audit: an answer of {replayed.tokens} tokens, given {replayed.time}"
        )
    if replayed.verdict == "equal":
        console.print(f"Equal. {replayed.explanation}")
    elif replayed.character is not None:
        console.print(f"The texts part behind {replayed.character} characters.")
