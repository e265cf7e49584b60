"""``edgekit audit``: whether the record of who did what is whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit.cli.common import common
from edgekit.cli.show.audit import show_head, show_replayed, show_verified
from edgekit.console import Console
from edgekit.errors import MissingExtra

if TYPE_CHECKING:
    from edgekit.ward.audit.anchored import AuditHere


@click.group("audit")
@common
def command(console: Console) -> None:
    """Look at the record of who did what. This needs: pip install 'edgekit[serve]'."""


@command.command("head")
@common
def head_command(console: Console) -> None:
    """Show how far the audit goes, to be written down elsewhere: --head of `audit verify` misses what is cut off."""
    from edgekit.ward.audit.verify import require_whole, verify

    here = _here()
    verified = verify(here.folder, here.key, here.anchor)
    require_whole(verified)
    console.document({"head": str(verified.head), "lines": verified.lines, "last": verified.last})
    show_head(console, verified)


@command.command("verify")
@click.option("--head", "text", metavar="SEQ:HMAC", help="A head that was written down, or a report's code.")
@common
def verify_command(console: Console, text: str | None) -> None:
    """Find the first line of the audit that was changed, cut, removed or moved, and what is missing at its end.

    Ends with 3 where something is. What was put back whole as it was once shows only by a --head from elsewhere.
    """
    from edgekit.ward.audit.head import Head
    from edgekit.ward.audit.verify import require_whole, verify

    heads = [] if text is None else [Head.parse(text)]
    here = _here()
    verified = verify(here.folder, here.key, here.anchor, *heads)
    console.document(verified.document())
    show_verified(console, verified)
    require_whole(verified)


@command.command("replay")
@click.argument("turn", metavar="ID")
@click.argument("bundle", required=False, type=click.Path(path_type=Path))
@common
def replay_command(console: Console, turn: str, bundle: Path | None) -> None:
    """Give the answer to the question ID of a conversation again, and say whether it is the same, token by token.

    By BUNDLE, or by the one that `edgekit serve` takes. Ends with 3 where the answer differs, and with 1 where that
    can't be told: the conversation was deleted, or another bundle or processor answered.
    """
    here = _here()
    from edgekit.serve.bundle import bundle_to_serve
    from edgekit.ward.audit.replay import replay, require_equal
    from edgekit.ward.keys import key_file, load
    from edgekit.ward.ward import Ward

    with Ward.open(here.folder.parent, load(key_file())) as ward:
        if bundle is None:
            with console.progress() as progress:
                bundle = bundle_to_serve(progress)
        replayed = replay(ward, here.folder, here.key, turn, bundle)
    console.document(replayed.document())
    show_replayed(console, replayed)
    require_equal(replayed)


def _here() -> AuditHere:
    try:
        from edgekit.ward.audit.anchored import AuditHere
    except ModuleNotFoundError as error:
        raise MissingExtra("The audit's key", "serve") from error
    return AuditHere.find()
