"""What doctors say of answers: right, wrong, or what the answer is. Each one's word is kept apart."""

from __future__ import annotations

from dataclasses import dataclass
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


def verdict_of(key: bytes, turn: str, owner: str, verdict: Word | None, sealed: bytes | None) -> Verdict | None:
    """Return a verdict from its row; None where there is none."""
    if verdict is None or sealed is None:
        return None
    return Verdict(verdict, unseal(key, _place(turn, owner), sealed)["answer"])


def _place(turn: str, owner: str) -> str:
    return f"feedback {turn} {owner}"
