"""What nobody has touched for so many days goes, and no clock that jumps can make it go.

How long something was left alone is told by time that this device ran through, start by start, and never by two dates.
While it is off, nothing counts, but for what a time server confirmed before and after, and a day at most of that: a
night, or a weekend's part. So a wrong date, whether of 1970 or of 2099, keeps things longer and not shorter.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from edgekit.machine import moment
from edgekit.machine.moment import Moment
from edgekit.ward.audit.audit import Audit
from edgekit.ward.database import Database
from edgekit.ward.ward import Ward

WHO = "the service"
DAY_MS = 86_400_000
OFF_MS = DAY_MS
"""Of a time in which the device was off, no more counts: so much can a time server that lies bring forward."""
_NAME = "ran"


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How much time counts so far, and what the next moment is held against.

    * ``counted_ms``: since this was first looked at
    * ``boot``, ``up_ms``: when it was looked at last
    * ``confirmed_ms``: what a clock would say then that a time server had set last; None where none ever did
    * ``off``: whether the device was off since, and for how long isn't known yet
    """

    counted_ms: int
    boot: str
    up_ms: int
    confirmed_ms: int | None
    off: bool


def advance(before: Ran | None, now: Moment) -> Ran:
    """Count what has passed between ``before`` (None: this is the first look) and ``now``."""
    if before is None:
        confirmed_ms = now.wall_ms if now.synchronised else None
        return Ran(counted_ms=0, boot=now.boot, up_ms=now.up_ms, confirmed_ms=confirmed_ms, off=False)
    same_start = bool(now.boot) and before.boot == now.boot
    passed_ms = max(now.up_ms - before.up_ms, 0) if same_start else 0
    confirmed_ms = None if before.confirmed_ms is None else before.confirmed_ms + passed_ms
    off = before.off or not same_start
    if now.synchronised:
        if off and confirmed_ms is not None:
            passed_ms += min(max(now.wall_ms - confirmed_ms, 0), OFF_MS)
        confirmed_ms, off = now.wall_ms, False
    counted_ms = before.counted_ms + passed_ms
    return Ran(counted_ms=counted_ms, boot=now.boot, up_ms=now.up_ms, confirmed_ms=confirmed_ms, off=off)


@dataclass(frozen=True)
class Expired:
    """A conversation that is gone: whose it was, and with whom it was shared."""

    id: str
    owner: str
    others: tuple[str, ...]


class Expiry:
    """Deletes conversations that were left alone for ``days`` (0: none), and notes each in the audit."""

    def __init__(self, ward: Ward, audit: Audit, days: int, clock: Callable[[], Moment] = moment.now) -> None:
        self._ward = ward
        self._audit = audit
        self._days = days
        self._clock = clock

    def tick(self) -> tuple[Expired, ...]:
        """Count the time that has passed, delete what is due, and return that.

        To be called every hour or so: what had passed since the last time when the device goes off counts as if it was
        off.
        """
        database = self._ward.database
        with database.transaction():
            ran = advance(_read(database), self._clock())
            _write(database, ran)
            database.change(
                "INSERT OR REPLACE INTO main.ages SELECT c.id, c.place, ? FROM main.conversations c"
                " LEFT JOIN main.ages a ON a.conversation = c.id WHERE a.place IS NOT c.place",
                (ran.counted_ms,),
            )
        return self._delete(ran.counted_ms - self._days * DAY_MS) if self._days else ()

    def _delete(self, since_ms: int) -> tuple[Expired, ...]:
        database = self._ward.database
        due = database.rows(
            "SELECT c.id, c.owner FROM main.ages a JOIN main.conversations c ON c.id = a.conversation"
            " WHERE a.since_ms <= ? ORDER BY a.since_ms",
            (since_ms,),
        )
        expired = []
        for id, owner in due:
            others = database.rows("SELECT owner FROM main.shares WHERE conversation = ?", (id,))
            self._audit.note("conversation_expired", WHO, conversation=id, days=self._days)
            self._ward.keyring.destroy(id)
            expired.append(Expired(id, owner, tuple(row[0] for row in others)))
        if expired:
            self._ward.conversations.remove_deleted()
        return tuple(expired)


def _read(database: Database) -> Ran | None:
    row = database.row("SELECT value FROM main.meta WHERE name = ?", (_NAME,))
    return Ran(**json.loads(row[0])) if row else None


def _write(database: Database, ran: Ran) -> None:
    database.change("INSERT OR REPLACE INTO main.meta VALUES (?, ?)", (_NAME, json.dumps(vars(ran))))
