"""Turns: a question of a conversation, and its answer as far as it has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from edgekit.errors import InputError
from edgekit.ward.access import reach, reached, touch
from edgekit.ward.database import Database, Row
from edgekit.ward.feedback import Verdict, verdict_of
from edgekit.ward.ids import new_id
from edgekit.ward.moments import Clock
from edgekit.ward.sealing import seal, unseal

State: TypeAlias = Literal["waiting", "writing", "whole", "stopped", "failed"]
_COLUMNS = "t.id, t.number, t.state, t.asked_by, t.created_s, t.sealed, k.key, v.owner, v.verdict, v.sealed"
_JOIN = (
    "JOIN turns t ON t.conversation = c.id LEFT JOIN feedback v ON v.turn = t.id AND v.owner = :owner"  # one's own word
)
_RUNNING = "state IN ('waiting', 'writing')"


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A question and its answer.

    * ``number``: from 1 within the conversation; ``pictures``: ids, in the order in which the model sees them
    * ``seed``, ``params``: what the answer is sampled by; ``bundle``: the digest of what answers
    * ``by``: the owner who asked; ``language``: of the question, "" where that isn't told
    * ``verdict``: what the caller himself says of the answer
    * ``confidence``: the probability of yes among yes and no, where that is told
    """

    id: str
    number: int
    question: str
    pictures: tuple[str, ...]
    answer: str
    state: State
    notes: tuple[str, ...]
    seed: int
    params: Mapping[str, Any]
    tokens: int
    prompt_tokens: int
    bundle: str
    by: str
    language: str
    created_s: int
    verdict: Verdict | None
    confidence: float | None


class Turns:
    """The turns of a ward's conversations."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add(
        self,
        owner: str,
        conversation: str,
        question: str,
        pictures: Sequence[str] = (),
        params: Mapping[str, Any] | None = None,
        *,
        seed: int = 0,
        bundle: str = "",
        language: str = "",
    ) -> Turn:
        """Keep a question; it is on the disk when this returns, and its turn "waiting".

        :class:`~edgekit.errors.NotHere` for what is no conversation, :class:`~edgekit.errors.InputError` for what is
        no picture of it, :class:`~edgekit.errors.NotAllowed` where ``owner`` may only read.
        """
        id, now_s = new_id(), self._clock().wall_s
        document = {
            "question": question,
            "pictures": list(pictures),
            "answer": "",
            "notes": [],
            "seed": seed,
            "params": dict(params or {}),
            "tokens": 0,
            "prompt_tokens": 0,
            "bundle": bundle,
            "language": language,
            "confidence": None,
        }
        with self._database.transaction():
            place = reach(self._database, owner, conversation)
            place.require("own", "ask")
            self._require_pictures(conversation, pictures)
            self._database.change(
                "INSERT INTO turns (id, conversation, state, asked_by, created_s, sealed, number)"
                " SELECT ?, ?, 'waiting', ?, ?, ?, coalesce(max(number), 0) + 1 FROM turns WHERE conversation = ?",
                (id, conversation, owner, now_s, seal(place.key, f"turn {id}", document), conversation),
            )
            for position, picture in enumerate(pictures):
                self._database.change("INSERT INTO turn_pictures VALUES (?, ?, ?)", (id, picture, position))
            touch(self._database, conversation, now_s)
        return self._get(owner, conversation, id)

    def write(self, id: str, answer: str) -> bool:
        """Keep what has come of an answer; its turn is "writing". False where it runs no more, or was deleted.

        This and :meth:`finish` are for what answers: no caller's request leads to them by an id of its own.
        """
        return self._update(id, "writing", {"answer": answer})

    def finish(
        self,
        id: str,
        answer: str,
        state: State,
        *,
        tokens: int = 0,
        prompt_tokens: int = 0,
        notes: Sequence[str] = (),
        confidence: float | None = None,
    ) -> bool:
        """Keep an answer as it ended, durably; False where its turn had ended before, or was deleted."""
        changes = {
            "answer": answer,
            "tokens": tokens,
            "prompt_tokens": prompt_tokens,
            "notes": list(notes),
            "confidence": confidence,
        }
        return self._update(id, state, changes)

    def of(self, owner: str, conversation: str) -> tuple[Turn, ...]:
        """Return a conversation's turns in their order; none where ``owner`` does not reach it."""
        query = reached(_COLUMNS, _JOIN, "AND c.id = :conversation ORDER BY t.number")
        return tuple(map(_turn, self._database.rows(query, {"owner": owner, "conversation": conversation})))

    def named(self, owner: str, conversation: str, id: str) -> Turn | None:
        """Return one turn of a conversation; None where ``owner`` does not reach it, or there is none."""
        query = reached(_COLUMNS, _JOIN, "AND c.id = :conversation AND t.id = :id")
        row = self._database.row(query, {"owner": owner, "conversation": conversation, "id": id})
        return None if row is None else _turn(row)

    def conversation_of(self, owner: str, id: str) -> str | None:
        """Return the conversation of a turn; None where ``owner`` does not reach it."""
        query = reached("c.id", _JOIN, "AND t.id = :id")
        row = self._database.row(query, {"owner": owner, "id": id})
        return str(row[0]) if row else None

    def fail_running(self) -> int:
        """Call every turn failed that runs: for a start, since what answered it is gone. How many that were."""
        return self._database.change(f"UPDATE turns SET state = 'failed' WHERE {_RUNNING}")

    def _require_pictures(self, conversation: str, pictures: Sequence[str]) -> None:
        rows = self._database.rows("SELECT id FROM pictures WHERE conversation = ?", (conversation,))
        if not set(pictures) <= {row[0] for row in rows}:
            message = "A picture of this question is not in its conversation"
            raise InputError(message, "Add it to the conversation first.")

    def _update(self, id: str, state: State, changes: Mapping[str, Any]) -> bool:
        with self._database.transaction():
            row = self._database.row(
                "SELECT t.sealed, k.key, t.conversation FROM turns t JOIN keys.keys k ON k.conversation ="
                f" t.conversation WHERE t.id = ? AND {_RUNNING}",
                (id,),
            )
            if row is None:
                return False
            document = {**unseal(row[1], f"turn {id}", row[0]), **changes}
            sealed = seal(row[1], f"turn {id}", document)
            self._database.change("UPDATE turns SET state = ?, sealed = ? WHERE id = ?", (state, sealed, id))
            if state != "writing":
                touch(self._database, row[2], self._clock().wall_s)
        return True

    def _get(self, owner: str, conversation: str, id: str) -> Turn:
        turn = self.named(owner, conversation, id)
        assert turn
        return turn


def _turn(row: Row) -> Turn:
    id, number, state, asked_by, created_s, sealed, key, voter, verdict, verdict_sealed = row
    document = unseal(key, f"turn {id}", sealed)
    pictures, notes = document.pop("pictures"), document.pop("notes")
    return Turn(
        id=id,
        number=number,
        state=state,
        by=asked_by,
        created_s=created_s,
        verdict=verdict_of(key, id, voter, verdict, verdict_sealed),
        pictures=tuple(pictures),
        notes=tuple(notes),
        **document,
    )
