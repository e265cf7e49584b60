"""Conversations: kept as they were written, sealed, found again, and gone when they are deleted."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.errors import DiskFull, EdgeKitError, InputError
from edgekit.ward import conversations as module
from edgekit.ward.conversations import title_of
from edgekit.ward.pictures import FOLDER
from edgekit.ward.reserve import Reserve
from edgekit.ward.ward import Ward
from tests.wards import FACTS, START_S, Clock, Picture, open_ward

ME, OTHER = "account 1", "account 2"


def ask(ward: Ward, conversation: str, question: str, answer: str = "") -> str:
    turn = ward.turns.add(ME, conversation, question).id
    if answer:
        ward.turns.finish(turn, answer, "whole")
    return turn


def test_it_is_kept_as_it_was_written(tmp_path: Path, clock: Clock) -> None:
    with open_ward(tmp_path, clock) as ward:
        created = ward.conversations.create(ME, "label \u2028 \udcff", "Ist es «gebrochen»?")
        clock.go(60)
        changed = ward.conversations.change(ME, created.id, report="Findings")
    assert len(created.id) == 22
    assert (created.created_s, created.changed_s, changed.changed_s) == (START_S, START_S, START_S + 60)
    assert (created.access, created.pictures, created.turns, created.title) == ("own", 0, 0, "")
    with open_ward(tmp_path, clock) as ward:
        kept = ward.conversations.of(ME, created.id)
        assert kept == changed
        assert (kept.label, kept.referring_question, kept.report) == (created.label, "Ist es «gebrochen»?", "Findings")


def test_only_what_is_given_changes(ward: Ward) -> None:
    id = ward.conversations.create(ME, "label", "question").id
    ward.conversations.change(ME, id, label="other")
    kept = ward.conversations.change(ME, id, report="report")
    assert (kept.label, kept.referring_question, kept.report) == ("other", "question", "report")
    for texts in ({"label": "x" * 201}, {"referring_question": "x" * 4001}, {"report": "x" * 65_537}):
        with pytest.raises(InputError, match="letters; at most"):
            ward.conversations.change(ME, id, **texts)
    with pytest.raises(InputError, match="The label has 201 letters"):
        ward.conversations.create(ME, "x" * 201)
    assert ward.conversations.of(ME, id) == kept


def test_nothing_that_was_said_stands_in_a_file(tmp_path: Path) -> None:
    """Not even to who has the database's key, without the conversation's."""
    words = ["thelabel", "thereferring", "thereport", "thequestion", "theanswer", "thecorrection", "thefacts", "pixels"]
    with open_ward(tmp_path) as ward:
        id = ward.conversations.create(ME, words[0], words[1]).id
        ward.conversations.change(ME, id, report=words[2])
        ward.pictures.add(ME, id, Picture(facts=replace(FACTS, body_part=words[6])))
        ward.feedback.give(ME, ask(ward, id, words[3], words[4]), "answer", words[5])
        rows = [
            row
            for (table,) in ward.database.rows("SELECT name FROM main.sqlite_master WHERE type = 'table'")
            for row in ward.database.rows(f"SELECT * FROM main.{table}")
        ]
        assert len(rows) == 5
        stored = [path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file()]
    for word in words:
        assert word not in str(rows)
        assert not [content for content in stored if word.encode() in content]


def test_the_list_is_by_last_change_whatever_the_clock_says(ward: Ward, clock: Clock) -> None:
    ids = [ward.conversations.create(ME, str(number)).id for number in range(5)]
    ward.conversations.create(OTHER, "another's")
    clock.wall_s = 0
    ask(ward, ids[0], "?")
    listed = ward.conversations.list(ME)
    assert [conversation.label for conversation in listed] == ["0", "4", "3", "2", "1"]
    assert [conversation.label for conversation in ward.conversations.list(ME, limit=2)] == ["0", "4"]
    assert [c.label for c in ward.conversations.list(ME, limit=2, before=listed[1].id)] == ["3", "2"]
    assert ward.conversations.list(ME, before=listed[-1].id) == ()
    assert ward.conversations.list(ME, before="nowhere") == ()
    assert ward.conversations.list("nobody") == ()


@pytest.mark.parametrize(
    ("search", "label"),
    [
        ("KNEE", "knee, left"),
        ("fracture", "second"),
        ("fémur", "third"),
        ("FEMUR", "third"),
        ("fusse", "fourth"),
        ("pleural effusion", "fifth"),
        ("كسر", "sixth"),
        ("nothing of it", None),
        ("%", None),
    ],
)
def test_every_text_can_be_searched(ward: Ward, search: str, label: str | None) -> None:
    ward.conversations.create(ME, "knee, left")
    ask(ward, ward.conversations.create(ME, "second").id, "Is there a fracture?")
    ask(ward, ward.conversations.create(ME, "third").id, "Où ?", "Le fémur est intact.")
    ward.conversations.create(ME, "fourth", "Beide Füße")
    ward.conversations.change(ME, ward.conversations.create(ME, "fifth").id, report="A pleural\n effusion.")
    ask(ward, ward.conversations.create(ME, "sixth").id, "هل هناك كَسْر؟")
    ward.conversations.create(OTHER, "knee fracture femur Füße pleural effusion كسر")
    assert [c.label for c in ward.conversations.list(ME, search)] == ([label] if label else [])


def test_a_search_goes_on_until_enough_is_there(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BATCH", 3)
    for number in range(10):
        ward.conversations.create(ME, f"{number} {'odd' if number % 2 else 'even'}")
    listed = ward.conversations.list(ME, "odd", limit=4)
    assert [conversation.label[0] for conversation in listed] == ["9", "7", "5", "3"]
    assert [c.label[0] for c in ward.conversations.list(ME, "odd", limit=4, before=listed[-1].id)] == ["1"]


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("", ""),
        ("Is it\n broken?", "Is it broken?"),
        ("a" * 80, "a" * 80),
        ("word " * 20, "word " * 14 + "word…"),
        ("a" * 100, "a" * 79 + "…"),
    ],
)
def test_a_title_is_the_first_question_cut(ward: Ward, question: str, title: str) -> None:
    assert title_of(question) == title
    assert len(title) <= 80
    id = ward.conversations.create(ME).id
    for text in (question, "second"):
        ask(ward, id, text)
    kept = ward.conversations.of(ME, id)
    assert kept
    assert (kept.title, kept.turns) == (title, 2)


def test_deleting_leaves_nothing(tmp_path: Path) -> None:
    with open_ward(tmp_path) as ward:
        id, other = (ward.conversations.create(ME).id for _ in range(2))
        for conversation in (id, other):
            ward.pictures.add(ME, conversation, Picture())
            ward.feedback.give(ME, ask(ward, conversation, "?", "!"), "right")
        ward.accounts.add("ada", "doctor")
        ward.shares.give(ME, id, ward.accounts.add("bo", "doctor"), may_ask=True)
        ward.conversations.delete(ME, id)
        assert ward.conversations.of(ME, id) is None
        assert [conversation.id for conversation in ward.conversations.list(ME)] == [other]
        for table in ("conversations", "turns", "pictures", "feedback"):
            assert len(ward.database.rows(f"SELECT * FROM main.{table}")) == 1, table
        assert ward.database.rows("SELECT * FROM shares") == []
        assert [row[0] for row in ward.database.rows("SELECT conversation FROM keys.keys")] == [other]
        assert len(list((tmp_path / "state/pictures").glob("*/*"))) == 1


def test_deletion_reaches_older_copies(tmp_path: Path) -> None:
    """An older copy of all but the keys shows everything but what was deleted since, and that leaves it as well."""
    state = tmp_path / "state"
    with open_ward(tmp_path) as ward:
        deleted, kept = (ward.conversations.create(ME, label).id for label in ("deleted", "kept"))
        for id in (deleted, kept):
            ward.pictures.add(ME, id, Picture())
            ask(ward, id, "?", "!")
    shutil.copytree(state, tmp_path / "copy")
    with open_ward(tmp_path) as ward:
        ward.conversations.delete(ME, deleted)
    shutil.copy(tmp_path / "copy/ward.db", state / "ward.db")
    shutil.copytree(tmp_path / "copy/pictures", state / "pictures", dirs_exist_ok=True)
    with open_ward(tmp_path) as ward:
        assert [conversation.id for conversation in ward.conversations.list(ME)] == [kept]
        assert ward.turns.of(ME, deleted) == ()
        assert ward.pictures.of(ME, deleted) == ()
        assert len(ward.database.rows("SELECT * FROM conversations")) == 2
    with open_ward(tmp_path, serving=True) as ward:
        assert len(ward.database.rows("SELECT * FROM conversations")) == 1
        (picture,) = ward.pictures.of(ME, kept)
        assert ward.pictures.file(ME, kept, picture.id) == b"pixels"
    assert len(list((state / "pictures").glob("*/*"))) == 1


def test_a_lost_key_hides_its_conversation_and_deletes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_ward(tmp_path) as ward:
        ward.conversations.create(ME, "older")
    shutil.copy(tmp_path / "state/keys.db", tmp_path / "keys.db")
    with open_ward(tmp_path) as ward:
        newer = ward.conversations.create(ME, "newer").id
    (tmp_path / "state/keys.db").replace(tmp_path / "newest.db")
    shutil.copy(tmp_path / "keys.db", tmp_path / "state/keys.db")
    with open_ward(tmp_path, serving=True) as ward:
        assert [conversation.label for conversation in ward.conversations.list(ME)] == ["older"]
    assert "1 conversations can't be read: keys.db is older" in caplog.text
    shutil.copy(tmp_path / "newest.db", tmp_path / "state/keys.db")
    with open_ward(tmp_path, serving=True) as ward:
        assert ward.conversations.of(ME, newer)


@pytest.mark.parametrize("step", ["INSERT INTO keys.keys", "INSERT INTO conversations", "DELETE FROM main.conv"])
def test_a_full_disk_leaves_what_was_there(ward: Ward, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def full(statement: str, *values: object) -> int:
        if statement.startswith(step):
            raise EdgeKitError("No space is left")
        return real(statement, *values)

    first = ward.conversations.create(ME, "first")
    real: Callable[..., int] = ward.database.change
    monkeypatch.setattr(ward.database, "change", full)
    with pytest.raises(EdgeKitError, match="No space"):
        ward.conversations.create(ME, "second")
        ward.conversations.delete(ME, first.id)
    monkeypatch.undo()
    assert [c.label for c in ward.conversations.list(ME)] in (["first"], ["second"])


def test_an_account_goes_with_its_conversations_or_not_at_all(ward: Ward) -> None:
    ada = ward.accounts.add("ada", "doctor")
    ids = [ward.conversations.create(ada.owner).id for _ in range(2)]
    mine = ward.conversations.create(OTHER).id
    with pytest.raises(InputError, match="'ada' has 2 conversations"):
        ward.remove_account(ada)
    assert ward.conversations.of(ada.owner, ids[0])
    assert ward.remove_account(ada, with_conversations=True) == 2
    assert ward.conversations.of(ada.owner, ids[0]) is None
    assert ward.conversations.of(OTHER, mine)


def test_on_a_full_disk_those_of_an_account_go_one_by_one(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = ward.accounts.add("ada", "doctor")
    for label in ("first", "second", "third"):
        id = ward.conversations.create(ada.owner, label).id
        ward.pictures.add(ada.owner, id, Picture(label.encode()))
    eased: list[int] = []

    def ease(reserve: Reserve) -> None:
        eased.append(len([path for path in (ward.state / FOLDER).rglob("*") if path.is_file()]))
        if len(eased) == 3:
            raise DiskFull("No space is left", "Make room.")

    monkeypatch.setattr(Reserve, "ease", ease)
    with pytest.raises(DiskFull):
        ward.remove_account(ada, with_conversations=True)
    assert eased == [3, 2, 1], "what one took is given back before the next"
    assert len(ward.conversations.list(ada.owner)) == 1
    monkeypatch.undo()
    assert ward.remove_account(ward.accounts.named("ada"), with_conversations=True) == 1
