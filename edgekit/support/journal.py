"""What the service's log says, from systemd's journal: lines that EdgeKit or systemd wrote, and no others.

EdgeKit's lines hold no texts; they do name callers, who get numbers here. What libraries and crashes write between
them may hold anything, so it is counted and left out; of a service that can't start, its last word is EdgeKit's own.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from edgekit.machine.host import Host
from edgekit.machine.programs import Reply
from edgekit.support.topic import Subject, Topic, first_line

UNIT = "edgekit.service"
LOOKED_AT = 20_000
"""Lines of the journal that are read, the last ones: errors are looked for in all of them."""
LINES = 2_000
ERRORS = 200
FACTS = (
    *("LoadState", "ActiveState", "SubState", "UnitFileState", "Result", "NRestarts", "ExecMainCode", "ExecMainStatus"),
    *("StateChangeTimestamp", "ActiveEnterTimestamp", "MemoryCurrent", "MemoryPeak", "MemoryMax", "TasksCurrent"),
    *("WatchdogUSec", "User", "StatusText"),
)
"""What systemctl(1) shows of the unit that is told on. The status text is EdgeKit's: how many answers run and wait."""

_OURS = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL) (?P<said>.*)")
_REQUEST = re.compile(
    r"(?P<asked>[0-9a-f]{32} \S+ \S+ (?P<status>\d{3}) [\d.]+ s, )(?P<kind>token|account|address) (?P<name>.+?)"
    r"(?P<reason>: [a-z0-9_]+)?"
)
"""A request's line, by :class:`edgekit.serve.gate.Envelope`."""
_OF_A_CALLER = re.compile(r"[0-9a-f]{32} \S+ .*, ")
_LOOPBACK = ("127.0.0.1", "::1")
_TROUBLE = re.compile(r"fail|code=|signal|watchdog|oom|timed out|killed|too quickly", re.IGNORECASE)


@dataclass
class Journal:
    """The lines that can be handed on, the oldest first; those of them that tell of ``errors``; and how many lines were
    ``left_out``, whose words are anybody's. ``why`` says why there are none."""

    lines: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    left_out: int = 0
    why: str = ""


def journal(host: Host) -> Journal:
    """Read the end of the service's journal; raises nothing."""
    reply = _asked(host, "journalctl", "--unit", UNIT, "--lines", str(LOOKED_AT), "--output", "json", "--no-pager")
    return told(reply)


def told(reply: Reply) -> Journal:
    """Return what journalctl's answer says, an entry a line in JSON (systemd.journal-fields(7))."""
    read, names = Journal(), _Names()
    for entry in _entries(reply.out.splitlines()):
        time = datetime.fromtimestamp(int(entry.get("__REALTIME_TIMESTAMP", 0)) / 1e6, timezone.utc)
        message = entry.get("MESSAGE")
        line, is_error = _line(entry, message, names) if isinstance(message, str) else ("", False)
        if not line:
            read.left_out += 1
            continue
        read.lines.append(f"{time:%Y-%m-%dT%H:%M:%SZ} {line}")
        if is_error:
            read.errors.append(read.lines[-1])
    if not read.lines:
        read.why = f"journalctl {reply.why}" if reply.why else first_line(reply.err) or "The journal has none."
    return read


def unit(subject: Subject) -> dict[str, str]:
    """Return how systemd sees the service: its state, how often it started again, its memory."""
    reply = _asked(subject.host, "systemctl", "show", UNIT, f"--property={','.join(FACTS)}")
    if reply.code != 0:
        return {"error": f"systemctl {reply.why}" if reply.why else first_line(reply.err)}
    pairs = (line.partition("=") for line in reply.out.splitlines())
    return {name: value for name, _, value in pairs if name in FACTS}


def log(subject: Subject) -> str:
    """Return the log's last lines, as a text."""
    read = journal(subject.host)
    return _text(read.lines[-LINES:], read)


def errors(subject: Subject) -> str:
    """Return the last lines that tell of errors, as a text."""
    read = journal(subject.host)
    return _text(read.errors[-ERRORS:], read)


def _asked(host: Host, *command: str) -> Reply:
    """A host asks each program once for each question; the journal's answer takes longest on a card of flash."""
    return host.run(*command, seconds=30)


def _text(lines: list[str], read: Journal) -> str:
    remark = read.why or f"{len(lines)} lines of {UNIT}; {read.left_out} that EdgeKit did not write are left out."
    return "\n".join([remark, *lines]) + "\n"


def _entries(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # cut where the program was ended
        if isinstance(entry, dict):
            yield entry


def _line(entry: dict[str, Any], message: str, names: _Names) -> tuple[str, bool]:
    """A line to hand on, "" for none; and whether it tells of an error."""
    if entry.get("_PID") == "1":  # who writes to the journal can't set this: systemd itself
        return f"systemd: {message}", _TROUBLE.search(message) is not None
    ours = _OURS.fullmatch(message)
    if ours is None:
        is_last_word = message.startswith("Error: ") and "serve" in str(entry.get("_CMDLINE", "")).split()
        return (_without_names(message), True) if is_last_word else ("", False)
    request = _REQUEST.fullmatch(ours["said"])
    if request is not None:
        caller = names.of(request["kind"], request["name"])
        return f"{ours['level']} {request['asked']}{caller}{request['reason'] or ''}", request["status"][0] == "5"
    if _OF_A_CALLER.match(ours["said"]):  # who is named there in a form that is not known here
        return "", False
    return f"{ours['level']} {_without_names(ours['said'])}", ours["level"] in ("WARNING", "ERROR", "CRITICAL")


def _without_names(text: str) -> str:
    """What is wrong with tokens is told by their names."""
    return re.sub(r"(tokens\.toml).*", r"\1 …", text)


class _Names:
    """Numbers in the place of names: the same for the same, in the order in which they come."""

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] = defaultdict(dict)

    def of(self, kind: str, name: str) -> str:
        if name in _LOOPBACK:
            return f"{kind} {name}"
        numbers = self._numbers[kind]
        return f"{kind} no. {numbers.setdefault(name, len(numbers) + 1)}"


TOPICS = (
    Topic("service.json", "how systemd sees the service", unit),
    Topic("errors.txt", "the service's last errors", errors),
    Topic("log.txt", "the service's log, which holds no texts; its callers have numbers", log),
)
