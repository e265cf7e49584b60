"""The one thread that owns the store, which is opened where there is one and made once there is something to keep.

A service that only answers programs keeps nothing: it makes no store, and loads none of what would open one. Each call
is whole before the next begins, and awaited by whoever made it; a caller that goes meanwhile takes nothing back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from edgekit.errors import DiskFull, EdgeKitError, InputError
from edgekit.serve.refusal import NEVER_RETRY, Refusal
from edgekit.serve.settings import Settings
from edgekit.serve.ward.room import Room
from edgekit.ward.reserve import Reserve

if TYPE_CHECKING:
    from edgekit.ward.audit import Audit
    from edgekit.ward.throttle import Throttle
    from edgekit.ward.ward import Ward

log = logging.getLogger("edgekit.serve")

T = TypeVar("T")
FILE = "ward.db"
"""Where this lies in the folder of what is kept, something is."""
MOST_SLOW = 16
"""Passwords that are compared or wait for it: two seconds' work, and somebody who sends many waits for his own."""


@dataclass(frozen=True)
class Store:
    """What is kept, the record of who did what with it, the count of wrong passwords, and what room there is."""

    ward: Ward
    audit: Audit
    throttle: Throttle
    room: Room

    @classmethod
    def open(cls, state: Path, settings: Settings) -> Store:
        """Open what lies in ``state``; what is missing is made. :class:`~edgekit.errors.EdgeKitError` where something
        is damaged, lost, or in the way."""
        from edgekit.ward.audit.anchored import open_audit
        from edgekit.ward.keys import master_key
        from edgekit.ward.throttle import Throttle
        from edgekit.ward.ward import Ward

        master = master_key(state)
        ward = Ward.open(state, master, serving=True, limits=settings.sign_in)
        try:
            return cls(ward, open_audit(state, ward.database, master), Throttle(), Room(state))
        except BaseException:
            ward.close()
            raise


def has_accounts(state: Path) -> bool:
    """Say, before a service begins, whether anybody may sign in to what lies in ``state``; errors of opening it."""
    if not (state / FILE).exists():
        return False
    from edgekit.ward.keys import master_key
    from edgekit.ward.ward import Ward

    Reserve(state).ease()
    with Ward.open(state, master_key(state)) as ward:
        return ward.accounts.exist()


class Keeper:
    """Keeps what people say in the folder ``state``."""

    def __init__(self, state: Path, open_store: Callable[[Path], Store]) -> None:
        self.state = state
        self._open_store = open_store
        self._store: Store | None = None
        self._reserve = Reserve(state)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ward")
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="ward-passwords")
        self._slow = 0

    @classmethod
    def of(cls, state: Path, settings: Settings) -> Keeper:
        """Return the keeper of a folder, under a site's settings."""
        return cls(state, partial(Store.open, settings=settings))

    @property
    def is_there(self) -> bool:
        """Whether anything is kept: an account may have been made since this service began."""
        return self._store is not None or (self.state / FILE).exists()

    @property
    def mark(self) -> object:
        """What differs after a change of what is kept, by whichever process: it writes to one of two files."""
        return tuple(_mark(self.state / name) for name in (FILE, f"{FILE}-wal"))

    async def start(self) -> None:
        """Open the store where there is one; :class:`~edgekit.errors.EdgeKitError` where it can't be used."""
        if self.is_there:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._open)

    async def call(self, work: Callable[[Store], T], *, eases: bool = True) -> T:
        """Return what ``work`` returns of the store, which is made where it is missing.

        On a full disk a call ``eases`` it by a piece of what was set aside. What keeps something new may not, and what
        a page or a timer asks again and again, and writes nothing, need not.

        :class:`~edgekit.errors.InputError` is its own; where the store fails, :class:`Refusal` of status 507 says that
        the disk is full, and of 503 that what is kept can't be used.
        """
        return await self._run(self._thread, lambda: work(self._open(eases=eases)))

    async def slow(self, work: Callable[[Store], T]) -> T:
        """Return what ``work`` returns, which compares passwords: one at a time, beside the calls of others.

        Errors as of :meth:`call`; :class:`Refusal` of status 503 where too many wait already.
        """
        if self._slow >= MOST_SLOW:
            headers = {"retry-after": "2", **NEVER_RETRY}
            raise Refusal(503, "Too many sign in at once. Try again soon.", "too_many_sign_ins", headers=headers)
        self._slow += 1
        try:
            store = await self.call(lambda store: store)
            return await self._run(self._beside, lambda: work(store))
        finally:
            self._slow -= 1

    async def close(self) -> None:
        """Close the store once all that was asked of it is done; nothing can be asked of it any more."""
        await asyncio.to_thread(self._beside.shutdown)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._end)
        self._thread.shutdown()

    async def _run(self, thread: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(thread, work)
        except InputError:
            raise
        except EdgeKitError as error:
            raise _refusal(error) from error

    def _open(self, *, eases: bool = True) -> Store:
        """In the thread, as what follows."""
        if eases:
            self._reserve.ease()
        if self._store is None:
            self._store = self._open_store(self.state)
        return self._store

    def _end(self) -> None:
        if self._store is not None:
            self._store.ward.close()
            self._store = None


def _refusal(error: EdgeKitError) -> Refusal:
    """What a caller is told of a store that failed; the log has the rest, which names files and holds no texts."""
    log.error("What is kept: %s. %s", error.message, error.hint)
    if isinstance(error, DiskFull):
        message = "The disk is full: nothing of this was kept. Whoever looks after the device has to make room."
        return Refusal(507, message, "disk_full", headers=NEVER_RETRY)
    message = "What is kept can't be used now; the service's log says why. Nothing of this was kept."
    return Refusal(503, message, "store_failed", headers=NEVER_RETRY)


def _mark(path: Path) -> tuple[int, ...] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
