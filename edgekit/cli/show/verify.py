"""Comparing a bundle's files with their hashes, for a command: how far that is, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit.console import Console
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from edgekit.bundle import Bundle
    from edgekit.engines.verify import Verified


def verify(console: Console, bundle: Bundle) -> Verified:
    """Compare every file of ``bundle`` and say so; :class:`~edgekit.errors.BundleError` names one that is damaged."""
    from edgekit.engines.verify import verify_everything

    with console.progress() as progress:
        verified = verify_everything(bundle, progress)
    console.print(
        f"Verified: {verified.files} files, {format_bytes(verified.bytes)}, are as they were sealed "
        f"({verified.seconds:.2f} s)."
    )
    if verified.unsealed:
        console.note(
            f"Without a hash, since an older EdgeKit wrote them: {', '.join(verified.unsealed)}. "
            "Damage there may go unseen; what writes them (build, compile, check, profile) seals them today."
        )
    return verified


def warn_unverified(console: Console) -> None:
    """Say loudly that nothing was compared."""
    console.note(
        "Warning: --no-verify: no file was compared with its hash. A damaged bundle may pass, and answer wrongly later."
    )
