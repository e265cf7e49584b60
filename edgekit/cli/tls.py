"""``edgekit tls``: the certificates that this machine's service shows its callers."""

from __future__ import annotations

import click

from edgekit.cli.common import common
from edgekit.cli.show.tls import show_state
from edgekit.console import Console


@click.group("tls")
@common
def command(console: Console) -> None:
    """Make this machine's own certificate authority, and look at it. This needs: pip install 'edgekit[serve]'."""


@command.command("make")
@click.option("--name", "names", multiple=True, metavar="NAME", help="A further name that callers know it by.")
@click.option("--address", "addresses", multiple=True, metavar="IP", help="A further address, or a network of them.")
@click.option("--force", is_flag=True, help="Make the authority anew: phones have to trust that anew, too.")
@common
def make_command(console: Console, names: tuple[str, ...], addresses: tuple[str, ...], force: bool) -> None:
    """Make an authority for this machine's names and addresses, and a certificate that renews itself.

    An authority that is there is kept, and so is a certificate that has not to be renewed.
    """
    from edgekit.serve.tls.clock import now
    from edgekit.serve.tls.make import make, tls_folder
    from edgekit.serve.tls.names import parse_names

    state = make(tls_folder(), parse_names(names, addresses), now(), force=force)
    console.document(state.document())
    show_state(console, state)


@command.command("show")
@common
def show_command(console: Console) -> None:
    """Show the authority's fingerprint and file, and what it and its certificate are for, and until when."""
    from edgekit.serve.tls.clock import now
    from edgekit.serve.tls.make import show, tls_folder

    state = show(tls_folder(), now())
    console.document(state.document())
    show_state(console, state)
