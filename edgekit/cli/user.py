"""``edgekit user``: who may sign in to this machine's page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edgekit.cli.common import common
from edgekit.cli.show.user import list_accounts, show_account, show_invited, show_removed
from edgekit.console import Console
from edgekit.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from edgekit.serve.page_url import PageUrl
    from edgekit.ward.accounts import Account
    from edgekit.ward.users import Invited, Users

url_option = click.option(
    "--url", metavar="URL", help="Where the page is, for the link.  [default: as serve.toml and a running service say]"
)


@click.group("user")
@common
def command(console: Console) -> None:
    """Say who may sign in to this machine's page: doctors, and admins, who see how the service fares.

    A service that runs sees what changes at once. This needs: pip install 'edgekit[serve]'.
    """


@command.command("add")
@click.argument("name")
@click.option("--admin", is_flag=True, help="An admin, who sees how the service fares, and no other's conversations.")
@url_option
@common
def add_command(console: Console, name: str, admin: bool, url: str | None) -> None:
    """Add an account called NAME, and show the link by which its user chooses a password, this once."""
    _invite(console, url, lambda users, start: users.add(name, "admin" if admin else "doctor", start), make=True)


@command.command("list")
@common
def list_command(console: Console) -> None:
    """List the accounts."""
    try:
        from edgekit.ward import users
    except ModuleNotFoundError as error:
        raise _missing() from error
    listed = users.list_accounts()
    console.document(listed.document())
    list_accounts(console, listed)


@command.command("reset")
@click.argument("name")
@url_option
@common
def reset_command(console: Console, name: str, url: str | None) -> None:
    """Show a new one-time link for the account called NAME, whose password was forgotten."""
    _invite(console, url, lambda users, start: users.reset(name, start))


@command.command("disable")
@click.argument("name")
@common
def disable_command(console: Console, name: str) -> None:
    """Let the account called NAME in no more, from its next request on. What it keeps stays."""
    _change(console, lambda users: users.disable(name))


@command.command("enable")
@click.argument("name")
@common
def enable_command(console: Console, name: str) -> None:
    """Let the account called NAME in again."""
    _change(console, lambda users: users.enable(name))


@command.command("role")
@click.argument("name")
@click.argument("role", type=click.Choice(["doctor", "admin"]))
@common
def role_command(console: Console, name: str, role: str) -> None:
    """Make the account called NAME a doctor's or an admin's."""
    _change(console, lambda users: users.set_role(name, "admin" if role == "admin" else "doctor"))


@command.command("remove")
@click.argument("name")
@click.option("--with-conversations", is_flag=True, help="Delete its conversations too, for good and in all backups.")
@common
def remove_command(console: Console, name: str, with_conversations: bool) -> None:
    """Remove the account called NAME."""
    with _users() as users:
        removed = users.remove(name, with_conversations=with_conversations)
    console.document(removed.document())
    show_removed(console, removed)


def _invite(console: Console, url: str | None, invite: Callable[[Users, str], Invited], *, make: bool = False) -> None:
    """Invite somebody, by a link that begins as it has to, and show that."""
    page = _page(url)
    with _users(make=make) as users:
        invited = invite(users, page.text)
    console.document(invited.document())
    show_invited(console, invited, page)


def _change(console: Console, change: Callable[[Users], Account]) -> None:
    """Change an account, and show what it is then."""
    with _users() as users:
        account = change(users)
    console.document(account.document())
    show_account(console, account)


def _users(*, make: bool = False) -> AbstractContextManager[Users]:
    try:
        from edgekit.serve.settings import settings
        from edgekit.ward.users import users_here
    except ModuleNotFoundError as error:
        raise _missing() from error
    return users_here(settings().sign_in, make=make)


def _page(url: str | None) -> PageUrl:
    try:
        from edgekit.config.state import state_folder
        from edgekit.serve.here import service_here
        from edgekit.serve.page_url import PageUrl, given_url, page_url
        from edgekit.serve.settings import settings
        from edgekit.serve.tls.make import tls_folder
    except ModuleNotFoundError as error:
        raise _missing() from error
    if url is not None:
        return PageUrl(given_url(url), is_told=True)
    return page_url(settings(), tls_folder(), service_here(state_folder()))


def _missing() -> MissingExtra:
    return MissingExtra("What is kept of users", "serve")
