"""API tokens as a table, and what to know of one that was added or removed."""

from __future__ import annotations

from edgekit.console import Console
from edgekit.serve.tokens import AddedToken, ListedTokens


def show_added(console: Console, added: AddedToken) -> None:
    """Show a secret on a line of its own, and what it is good for."""
    console.heading(added.secret)
    kind = "waits behind others'" if added.batch else "is answered in turn"
    console.print(f"The secret of '{added.name}', whose work {kind}. It is shown this once: {added.file} has its hash.")
    console.print("Give it to whoever calls the service, as the API key: Authorization: Bearer ek-…")


def list_tokens(console: Console, listed: ListedTokens) -> None:
    """Show a line for each token."""
    if not listed.tokens:
        console.print(f"{listed.file} has no tokens. One is made by: edgekit token add NAME")
        return
    rows = [(token.name, "can wait" if token.batch else "in turn", token.created) for token in listed.tokens]
    console.table(("token", "work", "made"), rows)


def show_left(console: Console, name: str, left: ListedTokens) -> None:
    """Show that a token is gone, and what follows where it was the last."""
    console.print(f"'{name}' is refused from now on. {len(left.tokens)} left in {left.file}.")
    if not left.tokens:
        console.note("There are no tokens any more: a service that starts from now on asks for none on loopback.")
