"""A container's build context for people: what was written, and what to do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit.console import Console
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from edgekit.deploy.container.context import Context


def show_context(console: Console, context: Context) -> None:
    """Show where the context lies, what it is for, and the next command."""
    if not context.base.pinned:
        console.note(f"UNPINNED: {context.base.reference} may be another image tomorrow, and nobody would see that.")
    what = f"{context.wheels} wheels, {format_bytes(context.bundle_bytes)} of bundle"
    console.print(f"{context.folder}: an image of the family {context.family} for {context.target} ({what}).")
    if context.python:
        console.print(f"Its base must have Python {context.python}: the wheels are for no other.")
    console.print(f"There: docker compose up --detach   builds and starts {context.image}. README.md says more.")
