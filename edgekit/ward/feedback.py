"""What doctors say of answers: right, wrong, or what the answer is. Each one's word is kept apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from edgekit.errors import InputError, NotHere
from edgekit.ward.access import reached
from edgekit.ward.database import Database
from edgekit.ward.moments import Clock
from edgekit.ward.sealing import seal, unseal

Word: TypeAlias = Literal["right", "wrong", "answer"]
LONGEST = 4_000
"""Letters of a right answer that is given."""


@dataclass(frozen=True)
class Verdict:
    """One doctor's word on an answer; ``answer`` is what it should have been, where he says so."""

    verdict: Word
    answer: str


@dataclass(frozen=True, kw_only=True)
class Judged:
    """An answer with every verdict on it: its ``question``, the names of its ``pictures``' files, and the ``key`` that
    these are sealed with; ``bundle`` is the digest of what answered.
    """

    question: str
    answer: str
    bundle: str
    verdicts: tuple[Verdict, ...]
    pictures: tuple[str, ...]
    key: bytes = field(repr=False)


class Feedback:
    """The verdicts of a ward."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def give(self, owner: str, turn: str, verdict: Word, answer: str = "") -> None:
        """Keep what ``owner`` says of a turn's answer, in the place of what he said before.

        :class:`~edgekit.errors.NotHere` where he does not reach it or it has no answer;
        :class:`~edgekit.errors.InputError` for a verdict that is none, or an answer that is missing or too long.
        """
        if verdict not in get_args(Word):
            raise InputError(f"{str(verdict)[:20]!r} is no verdict", "It is 'right', 'wrong' or 'answer'.")
        answer = answer.strip() if verdict == "answer" else ""
        if verdict == "answer" and not answer:
            raise InputError("The right answer is missing", "Write what the answer is.")
        if len(answer) > LONGEST:
            raise InputError(f"The right answer has {len(answer)} letters; at most {LONGEST} are kept", "Shorten it.")
        join = "JOIN turns t ON t.conversation = c.id"
        with self._database.transaction():
            row = self._database.row(
                reached("k.key", join, "AND t.id = :turn AND t.state IN ('whole', 'stopped')"),
                {"owner": owner, "turn": turn},
            )
            if row is None:
                raise NotHere("There is no such answer", "It may have been deleted, or is still being written.")
            sealed = seal(row[0], _place(turn, owner), {"answer": answer})
            self._database.change(
                "INSERT OR REPLACE INTO feedback VALUES (?, ?, ?, ?, ?)",
                (turn, owner, verdict, self._clock().wall_s, sealed),
            )

    def judged(self) -> Iterator[Judged]:
        """Yield every answer that somebody judged, whoever owns it: for a command at a terminal, which no caller's
        request leads to.
        """
        turns = self._database.rows(
            "SELECT t.id, t.sealed, k.key FROM turns t JOIN keys.keys k ON k.conversation = t.conversation"
            " WHERE t.id IN (SELECT turn FROM feedback) ORDER BY t.id"
        )
        for id, sealed, key in turns:
            document = unseal(key, f"turn {id}", sealed)
            verdicts = self._database.rows("SELECT owner, verdict, sealed FROM feedback WHERE turn = ?", (id,))
            words = [Verdict(word, unseal(key, _place(id, by), told)["answer"]) for by, word, told in verdicts]
            files = "SELECT p.file FROM turn_pictures t JOIN pictures p ON p.id = t.picture WHERE t.turn = ?"
            yield Judged(
                question=document["question"],
                answer=document["answer"],
                bundle=document["bundle"],
                verdicts=tuple(words),
                pictures=tuple(name for (name,) in self._database.rows(f"{files} ORDER BY t.position", (id,))),
                key=key,
            )


def verdict_of(key: bytes, turn: str, owner: str, verdict: Word | None, sealed: bytes | None) -> Verdict | None:
    """Return a verdict from its row; None where there is none."""
    if verdict is None or sealed is None:
        return None
    return Verdict(verdict, unseal(key, _place(turn, owner), sealed)["answer"])


def _place(turn: str, owner: str) -> str:
    return f"feedback {turn} {owner}"
