"""What ``edgekit serve`` says: where it answers, and to whom it lies open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgekit.console import Console

if TYPE_CHECKING:
    from edgekit.serve.server import Announcement


def show_exposure(console: Console, host: str, warnings: Sequence[str], *, insecure: bool) -> None:
    """Say, before anything is loaded, what is wrong with a certificate, and who can ask where that was asked for."""
    from edgekit.serve.listening import is_loopback

    for warning in warnings:
        console.note(f"Warning: {warning}")
    if insecure and not is_loopback(host):
        console.note("WARNING: --insecure: whoever reaches this machine may be able to ask, or to read along.")


def show_announcement(console: Console, announcement: Announcement) -> None:
    """Say what answers where, once it does."""
    console.print(f"{announcement.model} answers at {announcement.url}")
    if announcement.others:
        console.print(f"From other machines: {', '.join(announcement.others)}")
    room = f"{announcement.slots} answers at once, {announcement.context} tokens each"
    ways = [way for way, is_one in (("token", announcement.tokens), ("account", announcement.accounts)) if is_one]
    sign_in = f"by {' or '.join(ways)}" if ways else "without sign-in"
    console.print(f"{announcement.bundle}: {room}, {sign_in}. Ctrl-C stops.")
