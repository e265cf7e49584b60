"""What a start puts in order, and what it refuses to touch."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.errors import DiskFull, EdgeKitError
from edgekit.ward.turns import Turns
from edgekit.ward.ward import Ward
from tests.wards import Picture, open_ward, zero

ME = "account 1"


def test_a_deletion_that_was_cut_off_is_finished(tmp_path: Path) -> None:
    with open_ward(tmp_path) as ward:
        ids = [ward.conversations.create(ME).id for _ in range(2)]
        for id in ids:
            ward.pictures.add(ME, id, Picture())
        ward.keyring.destroy(ids[0])
        assert ward.conversations.of(ME, ids[0]) is None
    with open_ward(tmp_path, serving=True) as ward:
        assert ward.database.rows("SELECT id FROM conversations") == [(ids[1],)]
    assert len(list((tmp_path / "state/pictures").glob("*/*"))) == 1


@pytest.mark.parametrize("name", ["ward.db", "keys.db"])
def test_a_damaged_page_stops_the_start_and_is_left_as_it_is(tmp_path: Path, name: str) -> None:
    with open_ward(tmp_path) as ward:
        for _ in range(50):
            ward.conversations.create(ME, "x" * 200)
    path = tmp_path / "state" / name
    zero(path, path.stat().st_size - 4000, 100)
    orphan = tmp_path / "state/pictures/aa" / ("a" * 64)
    orphan.parent.mkdir(parents=True)
    orphan.touch()
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(EdgeKitError, match="damaged: 1 page of its databases is not") as caught:
            open_ward(tmp_path, serving=True)
        assert "edgekit restore" in caught.value.hint
    assert path.read_bytes() == before
    assert orphan.exists()


def test_on_a_full_disk_what_is_kept_can_be_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(turns: Turns) -> int:
        raise DiskFull("No space is left")

    with open_ward(tmp_path) as ward:
        conversation = ward.conversations.create(ME).id
        ward.turns.add(ME, conversation, "?")
    monkeypatch.setattr(Turns, "fail_running", full)
    with open_ward(tmp_path, serving=True) as ward:
        assert len(ward.turns.of(ME, conversation)) == 1
    assert "put in order at the next start" in caplog.text
    monkeypatch.undo()
    with open_ward(tmp_path, serving=True) as ward:
        assert ward.turns.of(ME, conversation)[0].state == "failed"


def test_it_says_what_it_did(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with open_ward(tmp_path) as ward:
        ward.turns.add(ME, ward.conversations.create(ME, "a name").id, "a question")
    with caplog.at_level("DEBUG"):
        _start(tmp_path)
    assert "1 answers were cut off" in caplog.text
    assert "a name" not in caplog.text
    assert "a question" not in caplog.text


def _start(folder: Path) -> None:
    ward: Ward = open_ward(folder, serving=True)
    ward.close()
