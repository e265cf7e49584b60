"""What is in an archive for help from afar, and where it lies."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from edgekit.console import Console
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from edgekit.support import Archive
    from edgekit.support.archive import WrittenArchive


def show_archive(console: Console, archive: Archive) -> None:
    """Show a line for each of its files."""
    rows = [(part.name, format_bytes(len(part.content)), part.what) for part in archive.parts]
    console.table(("file", "size", "what"), rows, right=("size",))


def show_written(console: Console, written: WrittenArchive) -> None:
    """Show where it lies, and how it is read before it is sent."""
    console.print(f"\n{written.path}: {format_bytes(written.bytes)}, readable for you alone")
    console.print(f"Read it before you send it: tar -xzOf {shlex.quote(str(written.path))} | less")
