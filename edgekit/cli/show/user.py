"""Accounts as a table, a one-time link as a code that a phone reads, and what follows of each change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit.cli.show.qr import code_lines
from edgekit.console import Console

if TYPE_CHECKING:
    from edgekit.serve.page_url import PageUrl
    from edgekit.ward.accounts import Account
    from edgekit.ward.users import Invited, ListedAccounts, RemovedAccount


def show_invited(console: Console, invited: Invited, page: PageUrl) -> None:
    """Show a link on a line of its own and, at a terminal, as a QR code; what it is good for, and whether where the
    ``page`` is was guessed.
    """
    console.heading(invited.link)
    console.code(lambda: code_lines(invited.link))
    days = f"{invited.days:.0f} days" if invited.days >= 2 else f"{invited.days * 24:.0f} hours"
    console.print(f"Whoever opens this first, within {days}, chooses the password of '{invited.account.name}'")
    console.print(f"({_role(invited.account)}). It is shown this once. Where the page is elsewhere: --url")
    if not page.is_told:
        console.note(f"Note: no service that runs here says where the page is. If that isn't {page.text},")
        console.note("write its address in place of that at the link's beginning, or give it by --url.")


def list_accounts(console: Console, listed: ListedAccounts) -> None:
    """Show a line for each account."""
    if not listed.accounts:
        console.print(f"{listed.state} has no accounts. One is made by: edgekit user add NAME")
        return
    rows = [(account.name, account.role, _state(account), account.document()["created"]) for account in listed.accounts]
    console.table(("account", "role", "signs in", "made"), rows)


def show_account(console: Console, account: Account) -> None:
    """Show what an account is now."""
    console.print(f"'{account.name}' is {_role(account)}; signs in: {_state(account)}.")


def show_removed(console: Console, removed: RemovedAccount) -> None:
    """Show that an account is gone, and what went with it."""
    gone = f", and {removed.conversations} conversations with it" if removed.conversations else ""
    console.print(f"'{removed.name}' is gone{gone}.")


def _role(account: Account) -> str:
    return "an admin" if account.role == "admin" else "a doctor"


def _state(account: Account) -> str:
    if account.disabled:
        return "no, disabled"
    return "by password" if account.has_password else "once its link was used"
