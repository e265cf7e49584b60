"""Backups for people: what is in one, what was brought back, and what to do with either."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from edgekit.console import Console
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from edgekit.ward.backup.here import BackedUp
    from edgekit.ward.backup.make import Backup
    from edgekit.ward.backup.restore import Restored


def show_backed_up(console: Console, backed_up: BackedUp) -> None:
    """Show what was written where."""
    if backed_up.backup is not None:
        _show_backup(console, backed_up.backup)
    if backed_up.keys is not None:
        console.print(f"Keys: {backed_up.keys}. Keep it apart from every backup: with both, all of it can be read.")


def _show_backup(console: Console, backup: Backup) -> None:
    counts = f"{backup.conversations} conversations, {backup.turns} questions, {backup.pictures} pictures"
    console.print(f"Backed up: {backup.place} ({format_bytes(backup.bytes)}: {counts})")
    console.print(f"The audit in it ends at {backup.head}")
    for name in backup.damaged:
        console.note(f"Warning: the picture {name} is missing or damaged, where it is kept, too.")


def show_restored(console: Console, restored: Restored) -> None:
    """Show what is there now, what is not, and what is left to do."""
    counts = f"{restored.conversations} conversations, {restored.turns} questions, {restored.pictures} pictures"
    console.print(f"Restored: {counts}, as of {restored.made}. Everybody has to sign in anew.")
    if restored.deleted:
        console.print(f"{restored.deleted} conversations were deleted since, and stay so.")
    if restored.lost:
        console.note(f"Warning: the keys are older than {restored.lost} conversations, which can't be read.")
        console.note("Restore again with newer ones, if there are any.")
    if restored.missing:
        console.note(f"Warning: {restored.missing} pictures that were asked about are not in the backup.")
    if restored.audit_kept:
        console.print("The audit that was here goes on: the backup's is a part of it.")
    if restored.key is not None:
        console.print(f"The master key was written to {restored.key}. Move it where systemd guards it, if that does.")
    if restored.replaced is not None:
        console.print(f"What was here before lies in {restored.replaced}, with its keys. Once all is well:")
        console.print(f"rm -r {shlex.quote(str(restored.replaced))}")
