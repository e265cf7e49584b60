"""``api/session`` and what belongs to it: signing in and out, the quick lock, one-time links, passwords.

Passwords are compared one at a time and beside the store, which others' requests need meanwhile. Whoever waits for his
next try is told how long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgekit.errors import InputError
from edgekit.serve.address import counted_as
from edgekit.serve.refusal import NEVER_RETRY, Refusal
from edgekit.serve.ward.cookies import giving, taking
from edgekit.serve.ward.endpoint import DONE, Reply, Request, document
from edgekit.serve.ward.entrance import Visit
from edgekit.serve.ward.keeper import Store
from edgekit.serve.ward.requests import ChangedAccount, Invitation, NewPassword, SignIn, Unlock

if TYPE_CHECKING:
    from edgekit.ward.accounts import Account
    from edgekit.ward.sessions import Session


async def tell(request: Request) -> Reply:
    """Say who asks."""
    return document(await request.desk.session(request.visit))


async def sign_in(request: Request) -> Reply:
    """Begin a session by a name and a password; the one before ends."""
    asked = await request.read(SignIn)
    if not request.desk.keeper.is_there:
        raise _wrong()
    before, address = request.visit.secret, request.address

    def begin(store: Store) -> str:
        attempt = Try(store, asked.name, address, before)
        attempt.require()
        account = store.ward.accounts.verify(asked.name, asked.password)
        if account is None:
            raise attempt.failed()
        attempt.passed()
        store.audit.note("sign_in", f"account {account.name}", address=address)
        if before:
            store.ward.sessions.end(before)
        return store.ward.sessions.begin(account)

    return await _entered(request, await request.desk.keeper.slow(begin))


async def sign_out(request: Request) -> Reply:
    """End the session, locked or not."""
    secret, who = request.visit.secret, request.who
    if request.visit.session is not None:

        def end(store: Store) -> None:
            store.audit.note("sign_out", who, address=request.address)
            store.ward.sessions.end(secret)

        await request.desk.keeper.call(end)
    return Reply(status=204, headers={"set-cookie": taking(tls=request.visit.tls)})


async def lock(request: Request) -> Reply:
    """Lock the session: a shared computer is left without signing out."""
    secret, who = request.visit.secret, request.who
    _session(request)

    def close(store: Store) -> None:
        store.audit.note("session_locked", who, address=request.address)
        store.ward.sessions.lock(secret)

    await request.desk.keeper.call(close)
    return DONE


async def unlock(request: Request) -> Reply:
    """Go on with a locked session, by its password."""
    asked = await request.read(Unlock)
    secret, who, address = request.visit.secret, request.who, request.address
    name = _session(request).account.name

    def open_again(store: Store) -> None:
        def note() -> None:
            store.audit.note("session_unlocked", who, address=address)

        attempt = Try(store, name, address, secret)
        attempt.require()
        if store.ward.sessions.unlock(secret, asked.password, note) is None:
            raise attempt.failed()
        attempt.passed()

    await request.desk.keeper.slow(open_again)
    return await _entered(request, secret)


async def accept(request: Request) -> Reply:
    """Choose a password by a one-time link, and come in."""
    asked = await request.read(Invitation)
    if not request.desk.keeper.is_there:
        raise _no_invitation("This link is not good, or no longer.")

    def use(store: Store) -> str:
        def note(account: Account) -> None:
            store.audit.note("invitation_used", f"account {account.name}", address=request.address)

        require_password(asked.password)
        try:
            account = store.ward.invitations.accept(asked.secret, asked.password, note)
        except InputError as error:
            raise _no_invitation(f"{error.message}. {error.hint}") from error
        return store.ward.sessions.begin(account)

    return await _entered(request, await request.desk.keeper.slow(use))


async def change_password(request: Request) -> Reply:
    """Change one's password; all of one's sessions end."""
    asked = await request.read(NewPassword)
    secret, who, address = request.visit.secret, request.who, request.address
    name = _session(request).account.name

    def change(store: Store) -> None:
        attempt = Try(store, name, address, secret)
        attempt.require()
        account = store.ward.accounts.verify(name, asked.old)
        if account is None:
            attempt.failed()
            raise Refusal(403, "The old password is wrong.", "wrong_password")
        require_password(asked.new, name)
        attempt.passed()
        store.audit.note("password", who, address=address)
        store.ward.accounts.set_password(account, asked.new)

    await request.desk.keeper.slow(change)
    return Reply(status=204, headers={"set-cookie": taking(tls=request.visit.tls)})


async def change_account(request: Request) -> Reply:
    """Choose the language of one's page."""
    asked = await request.read(ChangedAccount)
    session = _session(request)
    await request.desk.keeper.call(lambda store: store.ward.accounts.set_language(session.account, asked.language))
    return DONE


def require_password(password: str, name: str = "") -> None:
    """Refuse, with status 400, a password that is too short, too long, or guessed at once."""
    from edgekit.ward.passwords import require_good

    try:
        require_good(password, name)
    except InputError as error:
        raise Refusal(400, f"{error.message}. {error.hint}", "password_invalid", param="password") from None


@dataclass(frozen=True)
class Try:
    """A try of a password for the account called ``name``, from an ``address``; ``secret`` is that of the cookie."""

    store: Store
    name: str
    address: str
    secret: str

    def require(self) -> None:
        """Refuse a try that comes too soon after wrong ones, with status 429."""
        wait_s = self.store.throttle.wait_s(*self._counted())
        if wait_s:
            headers = {"retry-after": str(wait_s), **NEVER_RETRY}
            raise Refusal(429, f"Too many wrong passwords: try again in {wait_s} s.", "too_many_tries", headers=headers)

    def passed(self) -> None:
        """Count it as a right one."""
        self.store.throttle.passed(*self._counted())

    def failed(self) -> Refusal:
        """Count a wrong one, and return what its sender is told, which is the same whether there is such a name."""
        self.store.throttle.failed(*self._counted())
        names = {account.name.casefold(): account.name for account in self.store.ward.accounts.all()}
        name = names.get(self.name.casefold())  # what else was typed as a name may be a password
        self.store.audit.note("sign_in_failed", f"account {name}" if name else "somebody", address=self.address)
        return _wrong()

    def _counted(self) -> tuple[str, str, str]:
        """As whom it is counted; the cookie is a device's that signed in to the account before, or none."""
        is_of_it = self.secret and self.store.ward.sessions.has_been(self.secret, self.name)
        return self.name, counted_as(self.address), self.secret if is_of_it else ""


async def _entered(request: Request, secret: str) -> Reply:
    desk, tls = request.desk, request.visit.tls
    session = await desk.keeper.call(lambda store: store.ward.sessions.of(secret))
    if session is None:  # ended meanwhile, from elsewhere
        raise _wrong()
    owner = session.account.owner
    visit = Visit(caller=request.visit.caller, owner=owner, session=session, secret=secret, tls=tls)
    return document(await desk.session(visit), headers={"set-cookie": giving(secret, tls=tls)})


def _session(request: Request) -> Session:
    """The session by which it is asked; an account's own things are for whoever is signed in to it."""
    if request.visit.session is None:
        raise Refusal(403, "This is for who is signed in.", "session_needed")
    return request.visit.session


def _wrong() -> Refusal:
    return Refusal(401, "The name or the password is wrong.", "wrong_password")


def _no_invitation(message: str) -> Refusal:
    return Refusal(400, message, "invitation_invalid")
