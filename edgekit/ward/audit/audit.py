"""Who did what, written down before anybody is told that it is done.

In: an event, who did it, and facts that hold nothing of a patient. Out: the head that the audit has then. Once a day
the head goes to the system's log, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from edgekit.machine import moment
from edgekit.machine.moment import Moment
from edgekit.ward.audit import syslog
from edgekit.ward.audit.answered import Answered
from edgekit.ward.audit.facts import Event, Fact, require_event, require_facts
from edgekit.ward.audit.head import NONE, Head
from edgekit.ward.audit.keys import AuditKeys
from edgekit.ward.audit.log import Log


class Audit:
    """Writes an audit; any thread may, and several processes at once."""

    def __init__(self, log: Log, keys: AuditKeys, tell: Callable[[Head, str], object]) -> None:
        self._log = log
        self._keys = keys
        self._tell = tell
        self._told = ""

    @classmethod
    def open(
        cls,
        folder: Path,
        key: bytes,
        *,
        least: Head = NONE,
        clock: Callable[[], Moment] = moment.now,
        tell: Callable[[Head, str], object] = syslog.tell,
    ) -> Audit:
        """Open the audit in ``folder``, or begin one; ``key`` is the master key's subkey for it.

        ``least`` is a head that it once had: whatever was taken away of it since stays missed. ``tell`` is handed the
        head with the first line of each day. :class:`~edgekit.errors.EdgeKitError` where the folder can't be written.
        """
        keys = AuditKeys.of(key)
        return cls(Log(folder, keys, clock, least), keys, tell)

    def note(self, event: Event, who: str, **facts: Fact) -> Head:
        """Write down that ``who`` did something. It is on the disk when this returns.

        :class:`~edgekit.errors.EdgeKitError` where the disk refuses it: what it tells of must be refused, too, then.
        :class:`ValueError` for what no line may hold.
        """
        return self._append(event, who, facts)

    def answered(self, answered: Answered) -> Head:
        """Write down an answer, so that `edgekit audit replay` can give it again; as :meth:`note`."""
        return self._append("answered", answered.who, answered.facts(self._keys.contents))

    def _append(self, event: Event, who: str, facts: Mapping[str, Any]) -> Head:
        require_event(event, who)
        require_facts(facts)
        line = self._log.append(event, who, facts)
        head = Head(line.seq, line.mac)
        if line.day != self._told:
            self._told = line.day
            self._tell(head, line.day)
        return head
