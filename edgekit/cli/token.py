"""``edgekit token``: the API tokens of this machine's service."""

from __future__ import annotations

import click

from edgekit.cli.common import common
from edgekit.cli.show.token import list_tokens, show_added, show_left
from edgekit.console import Console
from edgekit.serve.tokens import AddedToken, ListedTokens, add, read_tokens, tokens_file
from edgekit.serve.tokens import remove as remove_token


@click.group("token")
@common
def command(console: Console) -> None:
    """Say who may use this machine's service over its API: each caller by a token of its own.

    A service that runs sees what changes at once.
    """


@command.command("add")
@click.argument("name")
@click.option("--batch", is_flag=True, help="For work that can wait: its requests stand behind everybody else's.")
@common
def add_command(console: Console, name: str, batch: bool) -> None:
    """Make a token called NAME, and show its secret, this once."""
    path = tokens_file()
    added = AddedToken(name, batch, add(path, name, batch), path)
    console.document(added)
    show_added(console, added)


@command.command("list")
@common
def list_command(console: Console) -> None:
    """List the tokens. Their secrets are kept nowhere."""
    path = tokens_file()
    listed = ListedTokens(path, read_tokens(path))
    console.document(listed.document())
    list_tokens(console, listed)


@command.command("remove")
@click.argument("name")
@common
def remove_command(console: Console, name: str) -> None:
    """Revoke the token called NAME, from the next request on."""
    left = remove_token(tokens_file(), name)
    console.document(left.document())
    show_left(console, name, left)
