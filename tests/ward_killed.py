"""A ward and its audit, whose writer is killed, and whether all that was acknowledged is there then.

``python -m tests.ward_killed each FOLDER STEP`` kills a writer before its STEPth, 2·STEPth, … statement or call that
changes the disk, each time from the beginning, and looks. ``write FOLDER COUNT`` writes conversations until there are
COUNT, and says what is acknowledged, a line each, for whoever kills it at a moment of his own.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from sqlcipher3 import dbapi2

from edgekit.ward.audit.anchored import open_audit
from edgekit.ward.audit.here import FOLDER, audit_key
from edgekit.ward.audit.verify import verify
from edgekit.ward.ward import Ward
from tests.wards import MASTER, Picture, open_ward

ME = "account 1"
Say: TypeAlias = Callable[..., object]
"""say(kind, id, text): something was acknowledged."""


def audited(ward: Ward, folder: Path, say: Say) -> Say:
    """Write each act into the audit before it is acknowledged, as the service does."""
    audit = open_audit(folder / "state", ward.database, MASTER)

    def note(*words: str) -> None:
        audit.note("conversation_changed", ME, code=words[0])
        say(*words)

    return note


def conversation(ward: Ward, label: str, say: Say) -> str:
    """One conversation with all that it may have."""
    id = ward.conversations.create(ME, label).id
    say("conversation", id, label)
    picture = ward.pictures.add(ME, id, Picture(label.encode() * 1000)).id
    say("picture", f"{id} {picture}", label)
    for number in range(2):
        question = f"{label}, question {number}?"
        turn = ward.turns.add(ME, id, question, [picture]).id
        say("question", f"{id} {turn}", question)
        ward.turns.write(turn, "So far")
        ward.turns.finish(turn, f"Answer to {question}", "whole")
        say("answer", f"{id} {turn}", f"Answer to {question}")
    ward.feedback.give(ME, turn, "answer", label)
    say("verdict", f"{id} {turn}", label)
    ward.conversations.change(ME, id, report=label)
    say("report", id, label)
    return id


def all_acts(ward: Ward, say: Say) -> None:
    """Every way to change what is kept."""
    ada, bo = ward.accounts.add("ada", "doctor"), ward.accounts.add("bo", "doctor")
    say("account", "ada", "doctor")
    ward.invitations.make(ada)
    secret = ward.sessions.begin(ada)
    say("session", secret, "ada")
    first, second = (conversation(ward, label, say) for label in ("first", "second"))
    ward.shares.give(ME, second, bo, may_ask=True)
    say("share", second, bo.owner)
    say("deleting", first, "")
    ward.conversations.delete(ME, first)
    say("deleted", first, "")
    ward.turns.add(ME, second, "third?")
    extra = ward.pictures.add(ME, second, Picture(b"extra")).id
    say("removing", f"{second} {extra}", "")
    ward.pictures.remove(ME, second, extra)
    say("removed", f"{second} {extra}", "")


@dataclass
class Acknowledged:
    """What a writer said, by kind."""

    kinds: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(self, lines: Iterable[str]) -> None:
        for line in lines:
            kind, id, text = json.loads(line)
            self.kinds.setdefault(kind, {})[id] = text

    def of(self, kind: str) -> dict[str, str]:
        """What of a kind is to be there: nothing of a conversation that was to be deleted."""
        gone = self.kinds.get("deleting", {}).keys() | self.kinds.get("removing", {}).keys()
        every = self.kinds.get(kind, {})
        return {id: text for id, text in every.items() if id not in gone and id.split(" ")[0] not in gone}

    def __len__(self) -> int:
        return sum(map(len, self.kinds.values()))


def check(folder: Path, acknowledged: Acknowledged) -> None:
    """Whether all that was acknowledged is there, nothing that was deleted is, nothing lies about, and the audit is
    whole.
    """
    if acknowledged.kinds:
        verified = verify(folder / "state" / FOLDER, audit_key(MASTER))
        assert verified.ok, verified.fault
        assert verified.lines >= len(acknowledged)
    with open_ward(folder, serving=True) as ward:
        _check_texts(ward, acknowledged)
        for id, label in acknowledged.of("picture").items():
            assert ward.pictures.file(ME, *id.split(" ")) == label.encode() * 1000
        for id in acknowledged.kinds.get("deleted", {}):
            assert ward.conversations.of(ME, id) is None
        for name in acknowledged.of("account"):
            assert ward.accounts.named(name)
        for secret, name in acknowledged.of("session").items():
            assert ward.sessions.has_been(secret, name)
        for id, owner in acknowledged.of("share").items():
            assert ward.conversations.of(owner, id)
        assert ward.database.faults() == []
        assert ward.database.rows("PRAGMA foreign_key_check") == []
        gone = "SELECT id FROM conversations WHERE id IN (SELECT conversation FROM keys.deleted)"
        assert ward.database.rows(gone) == []
        rows = {name for (name,) in ward.database.rows("SELECT file FROM pictures")}
        assert {path.name for path in (folder / "state/pictures").rglob("*") if path.is_file()} == rows
        states = {state for (state,) in ward.database.rows("SELECT state FROM turns")}
        assert states <= {"whole", "failed"}
        for one in ward.conversations.list(ME, limit=10_000):
            assert ward.turns.of(ME, one.id) is not None
            assert all(ward.pictures.file(ME, one.id, picture.id) for picture in ward.pictures.of(ME, one.id))


def _check_texts(ward: Ward, acknowledged: Acknowledged) -> None:
    for id, label in acknowledged.of("conversation").items():
        kept = ward.conversations.of(ME, id)
        assert kept
        assert (kept.label, kept.report) in ((label, ""), (label, label))
        assert kept.report == acknowledged.of("report").get(id, kept.report)
    for kind in ("question", "answer"):
        for id, text in acknowledged.of(kind).items():
            turn = ward.turns.named(ME, *id.split(" "))
            assert turn
            assert getattr(turn, kind) == text
    for id, text in acknowledged.of("verdict").items():
        turn = ward.turns.named(ME, *id.split(" "))
        assert turn
        assert turn.verdict
        assert turn.verdict.answer == text


def kill_each(folder: Path, step: int) -> int:
    """Kill a writer at every ``step``th moment, and check each time; how many moments there were."""
    at = step
    while True:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            _write_until(folder, at, writer)
        os.close(writer)
        with open(reader, encoding="utf-8") as lines:
            acknowledged = Acknowledged()
            acknowledged.add(lines)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the writer failed by itself"
        check(folder, acknowledged)
        if not os.WIFSIGNALED(status):
            return at
        at += step


def _write_until(folder: Path, at: int, writer: int) -> None:
    """In a child: write until moment ``at``, and end there, or at the end."""
    count = 0

    def moment(*_: object) -> None:
        nonlocal count
        count += 1
        if count >= at:
            os.kill(os.getpid(), signal.SIGKILL)

    def traced(*arguments: Any, **options: Any) -> Any:
        connection = real(*arguments, **options)
        connection.set_trace_callback(moment)
        return connection

    code = 1
    try:
        real, dbapi2.connect = dbapi2.connect, traced
        for name in ("fsync", "replace", "unlink", "mkdir"):
            setattr(os, name, _between(getattr(os, name), moment))
        with open_ward(folder, serving=True) as ward:
            all_acts(ward, audited(ward, folder, lambda *words: os.write(writer, f"{json.dumps(words)}\n".encode())))
        code = 0
    finally:
        os._exit(code)


def _between(call: Callable[..., Any], moment: Callable[[], None]) -> Callable[..., Any]:
    def wrapped(*arguments: Any, **options: Any) -> Any:
        moment()
        result = call(*arguments, **options)
        moment()
        return result

    return wrapped


def write(folder: Path, count: int) -> None:
    """Write conversations until there are ``count``, and between them some that are deleted at once."""
    with open_ward(folder, serving=True) as ward:
        say = audited(ward, folder, _print)
        while (already := len(ward.conversations.list(ME, limit=10_000))) < count:
            id = conversation(ward, f"number {already}", say)
            if already % 3 == 2:
                doomed = ward.conversations.create(ME, "doomed").id
                say("deleting", doomed, "")
                ward.conversations.delete(ME, doomed)
                say("deleted", doomed, "")
            assert ward.conversations.of(ME, id)


def _print(*words: str) -> None:
    print(json.dumps(words), flush=True)


def main(mode: str, folder: str, number: str) -> None:
    """Do what the first line of this file says."""
    if mode == "write":
        write(Path(folder), int(number))
    else:
        print(kill_each(Path(folder), int(number)))


if __name__ == "__main__":
    main(*sys.argv[1:])
