"""The file of answers: what is kept of it however a run ended, and whose it isn't."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Hashable
from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.batch.result import RESULTS, Result
from edgekit.batch.results import results
from edgekit.errors import EdgeKitError, InputError

RESULT = Result(
    id=1,
    question="Why?",
    images=["a.png"],
    sha256=["00"],
    model="m",
    fingerprint=None,
    sampling={"seed": None},
    text="Därum – “so”.",
    reason="stop",
    tokens=3,
    seed=5,
    notes=[],
    error=None,
)
LOST = replace(RESULT, id=2, text=None, reason=None, tokens=None, seed=None, error="There is no file b.png")
LINE = RESULT.line()


def anything(result: Result) -> None:
    """Let every answer stand."""


def reopened(path: Path) -> dict[Hashable, Result]:
    with results(path, RESULTS, anything) as opened:
        return opened.answered


def test_a_line_is_there_as_soon_as_it_is_added_and_read_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "new" / "out.jsonl"
    odd = replace(RESULT, id="x\udcff", images=["\udcff.png"])  # a name that is no UTF-8
    with results(path, RESULTS, anything) as opened:
        opened.add(RESULT)
        assert json.loads(path.read_text(encoding="utf-8"))["text"] == RESULT.text
        opened.add(odd)
        assert path.read_bytes().count(b"\n") == 2
    assert reopened(path) == {1: RESULT, "x\udcff": odd}
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("rest", [b'{"i', b'{"id": 2, "question": "Wh', b'{"id": 2\0\0\0', b"\0\0\0", b""])
def test_a_cut_line_is_dropped_and_the_next_begins_where_it_began(rest: bytes, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(LINE + rest)
    with results(path, RESULTS, anything) as opened:
        assert opened.answered == {1: RESULT}
        opened.add(replace(RESULT, id=2))
    assert path.read_bytes() == LINE + replace(RESULT, id=2).line()


def test_a_last_line_that_lacks_its_end_alone_is_an_answer(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(LINE + replace(RESULT, id=2).line()[:-1])
    assert reopened(path).keys() == {1, 2}


def test_rows_without_an_answer_make_way_and_the_mode_stays(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(LOST.line() + LINE)
    path.chmod(0o640)
    assert reopened(path) == {1: RESULT}
    assert path.read_bytes() == LINE
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    "text",
    [
        b"hello\n",
        b"hello",
        b'{"id": 1, "question": "Why?"}',
        b'{"id": 1, "question": "Why?"}\n',
        LINE + b"{}\n",
        LINE.replace(b'"id": 1', b'"id": [1]'),
        b"\n",
        b"[" * 100_000 + b"\n",
    ],
    ids=lambda text: text[:20],
)
def test_another_file_is_left_as_it_is(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(text)
    with pytest.raises(InputError, match="holds no answers to a list"):
        reopened(path)
    assert path.read_bytes() == text


def test_what_an_answer_is_refused_for_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(LOST.line() + LINE + b'{"id": 3')
    before = path.read_bytes()

    def refuse(result: Result) -> None:
        raise InputError(f"not {result.id}")

    with pytest.raises(InputError, match="not 1"), results(path, RESULTS, refuse):
        pass
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", [b"", LOST.line()], ids=["as it is", "written anew"])
def test_one_process_writes_at_a_time(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(text)
    with results(path, RESULTS, anything), pytest.raises(InputError, match="Another process writes"):
        reopened(path)
    reopened(path)


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a file"):
        reopened(Path("/dev/zero"))


def test_a_full_disk_is_told_and_what_was_cut_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, write, sizes = tmp_path / "out.jsonl", os.write, iter((20, 0))

    def full(descriptor: int, line: bytes) -> int:
        size = next(sizes)
        if not size:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, line[:size])

    with results(path, RESULTS, anything) as opened:
        opened.add(RESULT)
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(EdgeKitError, match="No space is left"):
            opened.add(replace(RESULT, id=2))
    monkeypatch.undo()
    assert path.read_bytes() == LINE + LINE[:7] + b"2" + LINE[8:20]
    assert reopened(path) == {1: RESULT}


def test_lines_are_put_into_their_order_and_others_follow(tmp_path: Path) -> None:
    path, two, three = tmp_path / "out.jsonl", replace(RESULT, id=2), replace(RESULT, id=3)
    with results(path, RESULTS, anything) as opened:
        for result in (three, LOST, RESULT):
            opened.add(result)
        opened.arrange([1, 2, 3])
        assert path.read_bytes() == LINE + LOST.line() + three.line()
        with pytest.raises(InputError, match="Another process writes"):
            reopened(path)
        opened.add(two)
        there = path.stat().st_ino
        opened.arrange([1, 3, 2])
        assert path.stat().st_ino != there
        opened.arrange([1, 3, 2])
    assert path.read_bytes() == LINE + three.line() + two.line()
    assert path.stat().st_mode & 0o777 == 0o600


def test_where_the_order_finds_no_room_every_line_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, two = tmp_path / "out.jsonl", replace(RESULT, id=2)

    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with results(path, RESULTS, anything) as opened:
        opened.add(two)
        opened.add(RESULT)
        monkeypatch.setattr(os, "replace", full)
        with pytest.raises(EdgeKitError, match="No space is left"):
            opened.arrange([1, 2])
    monkeypatch.undo()
    assert path.read_bytes() == two.line() + LINE
    assert [*tmp_path.iterdir()] == [path]
