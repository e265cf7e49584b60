"""Conversations: what was asked of which pictures, by whom, for as long as he keeps it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgekit.errors import InputError
from edgekit.ward.access import ACCESS, Access, reach, reached, touch
from edgekit.ward.database import Database, Row
from edgekit.ward.ids import new_id
from edgekit.ward.keyring import Keyring
from edgekit.ward.moments import Clock
from edgekit.ward.pictures import PictureFiles
from edgekit.ward.sealing import seal, unseal

LABEL, REFERRING_QUESTION, REPORT = 200, 4_000, 65_536
"""The most letters of a conversation's texts."""
_TITLE = 80
_BATCH = 100
_ACCENTS = re.compile("[\u0300-\u036f\u064b-\u0652]")
"""Combining marks of Latin, Greek and Cyrillic letters, and Arabic's vowel signs."""
_COLUMNS = (
    f"c.id, c.owner, c.created_s, c.changed_s, c.sealed, k.key, {ACCESS},"
    " (SELECT count(*) FROM pictures p WHERE p.conversation = c.id),"
    " (SELECT count(*) FROM turns t WHERE t.conversation = c.id), f.id, f.sealed"
)
_FIRST_TURN = "LEFT JOIN turns f ON f.conversation = c.id AND f.number = 1"
_OF_OWNER = "AND c.id IN (SELECT id FROM conversations WHERE owner = :owner UNION ALL"
_OF_OWNER += " SELECT conversation FROM shares WHERE owner = :owner)"


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """A conversation as its caller reaches it. ``title`` is the first question, cut; ``access`` what he may do."""

    id: str
    owner: str
    label: str
    referring_question: str
    report: str
    created_s: int
    changed_s: int
    access: Access
    pictures: int
    turns: int
    title: str


class Conversations:
    """The conversations of a ward, each its owner's, and whom he shares it with."""

    def __init__(self, database: Database, keyring: Keyring, files: PictureFiles, clock: Clock) -> None:
        self._database = database
        self._keyring = keyring
        self._files = files
        self._clock = clock

    def create(
        self,
        owner: str,
        label: str = "",
        referring_question: str = "",
        confirm: Callable[[str], object] = lambda id: None,
    ) -> Conversation:
        """Begin a conversation, durably; :class:`~edgekit.errors.InputError` where a text is too long.

        ``confirm`` is called with its id before it is there, and may raise to have it not be.
        """
        texts = _texts(label=label, referring_question=referring_question, report="")
        id, now_s = new_id(), self._clock().wall_s
        confirm(id)
        key = self._keyring.make(id)  # before what it locks: a power cut between the two leaves a key of nothing
        self._database.change(
            "INSERT INTO conversations (id, owner, created_s, changed_s, sealed, place)"
            " SELECT ?, ?, ?, ?, ?, coalesce(max(place), 0) + 1 FROM conversations",
            (id, owner, now_s, now_s, seal(key, f"conversation {id}", texts)),
        )
        return self._get(owner, id)

    def of(self, owner: str, id: str) -> Conversation | None:
        """Return a conversation that ``owner`` reaches; None where it is another's, or nowhere."""
        values = {"owner": owner, "id": id}
        row = self._database.row(reached(_COLUMNS, _FIRST_TURN, "AND c.id = :id"), values)
        return None if row is None else _conversation(row)

    def list(self, owner: str, search: str = "", limit: int = 30, before: str = "") -> tuple[Conversation, ...]:
        """Return the conversations that ``owner`` reaches, the last changed first, ``limit`` of them at most.

        ``search`` is looked for in every text of each, without regard to capitals and accents. ``before`` is the id of
        the last one that is known already: those that follow it are returned, none where it is another's.
        """
        chosen, start = list[Conversation](), self.start(owner, before)
        while start and len(chosen) < limit:
            more, start = self.part(owner, search, start)
            chosen += more
        return tuple(chosen[:limit])

    def start(self, owner: str, before: str = "") -> int:
        """Return where a list begins for :meth:`part`; 0 where there is nothing behind ``before``."""
        return self._place(owner, before) if before else 2**62

    def part(self, owner: str, search: str, start: int) -> tuple[Sequence[Conversation], int]:
        """Return those of the next hundred conversations from ``start`` that hold what is searched for, and where the
        others begin, 0 where there are none: a search of all takes a second, and others' requests wait for a part.
        """
        wanted = _plain(search)
        rest = f"{_OF_OWNER} AND c.place < :start ORDER BY c.place DESC LIMIT {_BATCH}"
        rows = self._database.rows(reached(f"{_COLUMNS}, c.place", _FIRST_TURN, rest), {"owner": owner, "start": start})
        holding = self._holding(owner, wanted, rows) if wanted and rows else None
        chosen = [_conversation(row[:-1]) for row in rows if holding is None or row[0] in holding]
        return chosen, rows[-1][-1] if len(rows) == _BATCH else 0

    def change(
        self,
        owner: str,
        id: str,
        *,
        label: str | None = None,
        referring_question: str | None = None,
        report: str | None = None,
    ) -> Conversation:
        """Change texts of a conversation, those that are given. Whom it is shared with to ask may write the report.

        :class:`~edgekit.errors.NotHere`, :class:`~edgekit.errors.NotAllowed`, and
        :class:`~edgekit.errors.InputError` where a text is too long.
        """
        given = {"label": label, "referring_question": referring_question, "report": report}
        changes = _texts(**{name: text for name, text in given.items() if text is not None})
        with self._database.transaction():
            place = reach(self._database, owner, id)
            if changes.keys() <= {"report"}:
                place.require("own", "ask")
            else:
                place.require("own")
            row = self._database.row("SELECT sealed FROM conversations WHERE id = ?", (id,))
            assert row
            texts = unseal(place.key, f"conversation {id}", row[0]) | changes
            sealed = seal(place.key, f"conversation {id}", texts)
            self._database.change("UPDATE conversations SET sealed = ? WHERE id = ?", (sealed, id))
            touch(self._database, id, self._clock().wall_s)
        return self._get(owner, id)

    def delete(self, owner: str, id: str, confirm: Callable[[], object] = lambda: None) -> None:
        """Delete a conversation of one's own, for good: its key first, durably, then its rows and its pictures' files.

        Whatever copy there is of it, in an older backup too, can't be read from then on. What a power cut leaves, the
        next start removes. ``confirm`` is called before, and may raise to have nothing done.
        :class:`~edgekit.errors.NotHere`, :class:`~edgekit.errors.NotAllowed`.
        """
        reach(self._database, owner, id).require("own")
        confirm()
        self._keyring.destroy(id)
        self.remove_deleted()

    def count(self, owner: str) -> int:
        """Count the conversations that are ``owner``'s own."""
        row = self._database.row("SELECT count(*) FROM conversations WHERE owner = ?", (owner,))
        return int(row[0]) if row else 0

    def owners(self) -> frozenset[str]:
        """Return everybody whose own some conversation is."""
        return frozenset(owner for (owner,) in self._database.rows("SELECT DISTINCT owner FROM conversations"))

    def delete_all(self, owner: str, before_each: Callable[[], None]) -> int:
        """Delete every conversation that is ``owner``'s own, one after another: each gives back what the next takes of
        a full disk. How many that were."""
        rows = self._database.rows("SELECT id FROM conversations WHERE owner = ?", (owner,))
        for (id,) in rows:
            before_each()
            self._keyring.destroy(id)
            self.remove_deleted()
        return len(rows)

    def remove_deleted(self) -> None:
        """Remove the rows and files of what was deleted: by now, before a power cut, or after a backup was made that
        brought them back."""
        gone = "(SELECT conversation FROM keys.deleted)"
        with self._database.transaction():
            files = self._database.rows(f"SELECT file FROM pictures WHERE conversation IN {gone}")
            self._database.change(f"DELETE FROM main.conversations WHERE id IN {gone}")
        for (file,) in files:
            self._files.remove(file)

    def _get(self, owner: str, id: str) -> Conversation:
        conversation = self.of(owner, id)
        assert conversation
        return conversation

    def _place(self, owner: str, id: str) -> int:
        row = self._database.row(reached("c.place", rest="AND c.id = :id"), {"owner": owner, "id": id})
        return int(row[0]) if row else 0

    def _holding(self, owner: str, wanted: str, rows: Sequence[Row]) -> set[str]:
        """The ids of those of the conversations ``rows`` that hold a text: their own ones, questions, answers."""
        texts = {row[0]: list(unseal(row[5], f"conversation {row[0]}", row[4]).values()) for row in rows}
        rest = f"{_OF_OWNER} AND c.place BETWEEN :last AND :first"
        query = reached("c.id, k.key, t.id, t.sealed", "JOIN turns t ON t.conversation = c.id", rest)
        values = {"owner": owner, "first": rows[0][-1], "last": rows[-1][-1]}
        for id, key, turn, sealed in self._database.rows(query, values):
            document = unseal(key, f"turn {turn}", sealed)
            texts[id] += [document["question"], document["answer"]]
        return {id for id, parts in texts.items() if wanted in _plain("\n".join(parts))}


def _texts(**texts: str) -> dict[str, str]:
    most = {"label": LABEL, "referring_question": REFERRING_QUESTION, "report": REPORT}
    for name, text in texts.items():
        if len(text) > most[name]:
            words = name.replace("_", " ")
            raise InputError(f"The {words} has {len(text)} letters; at most {most[name]} are kept", "Shorten it.")
    return texts


def _conversation(row: Row) -> Conversation:
    id, owner, created_s, changed_s, sealed, key, access, pictures, turns, first, first_sealed = row
    question = unseal(key, f"turn {first}", first_sealed)["question"] if first else ""
    return Conversation(
        id=id,
        owner=owner,
        created_s=created_s,
        changed_s=changed_s,
        access=access,
        pictures=pictures,
        turns=turns,
        title=title_of(question),
        **unseal(key, f"conversation {id}", sealed),
    )


def title_of(question: str) -> str:
    """Return a question in a line of 80 letters at most, cut between two words."""
    line = " ".join(question.split())
    if len(line) <= _TITLE:
        return line
    cut = line[: _TITLE - 1]
    return (cut.rpartition(" ")[0] or cut).rstrip(" ,;:.-") + "…"


def _plain(text: str) -> str:
    """A text without capitals and accents, as people search."""
    folded = text.casefold()
    plain = folded if folded.isascii() else _ACCENTS.sub("", unicodedata.normalize("NFKD", folded))
    return " ".join(plain.split())
