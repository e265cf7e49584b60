"""Whatever is changed, cut, removed, moved or left out of an audit is found, by whoever has the key, and named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.errors import EdgeKitError, GateRefused
from edgekit.ward.audit.head import NAME, Head
from edgekit.ward.audit.line import write
from edgekit.ward.audit.segments import segments
from edgekit.ward.audit.verify import current_head, lines, require_whole, verify
from tests.audits import KEY, moment, opened, written

STEP_S = 40_000.0
"""Two lines a day."""


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four lines in two files."""
    folder = tmp_path_factory.mktemp("audit")
    written(folder, 4, STEP_S)
    assert len(segments(folder)) == 2
    return folder


@pytest.fixture
def copy(audit: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(audit, tmp_path / "copy"))


def test_a_whole_one_verifies(audit: Path) -> None:
    verified = verify(audit, KEY)
    assert (verified.ok, verified.lines, verified.files, verified.torn_bytes) == (True, 4, 2, 0)
    assert (verified.first[:10], verified.last[:10]) == ("2026-11-30", "2026-12-01")
    assert verify(audit, KEY, verified.head).ok
    assert current_head(audit, KEY) == verified.head
    require_whole(verified)
    document = verified.document()
    assert (document["ok"], document["lines"], document["fault"]) == (True, 4, None)
    assert json.loads(json.dumps(document)) == document


def test_every_flip_of_a_bit_is_found_in_whichever_file(copy: Path) -> None:
    places = 0
    for path in [*segments(copy), copy / NAME]:
        content = path.read_bytes()
        for at in range(len(content)):
            flipped = bytearray(content)
            flipped[at] ^= 1 << at % 8
            path.write_bytes(flipped)
            assert not verify(copy, KEY).ok, (path.name, at)
            places += 1
        path.write_bytes(content)
    assert places > 1300
    assert verify(copy, KEY).ok


def test_a_changed_line_is_named(copy: Path) -> None:
    path = segments(copy)[0]
    path.write_bytes(path.read_bytes().replace(b'"conversation":"c1"', b'"conversation":"c7"'))
    verified = verify(copy, KEY)
    assert verified.fault
    assert (verified.lines, verified.fault.what, verified.fault.line) == (1, "changed", 2)
    with pytest.raises(GateRefused, match="Line 2 is not what was written"):
        require_whole(verified)


def test_every_cut_is_found(copy: Path) -> None:
    for path, step in zip(segments(copy), (7, 1), strict=True):
        content = path.read_bytes()
        for at in range(0, len(content), step):
            path.write_bytes(content[:at])
            verified = verify(copy, KEY)
            assert verified.fault, (path.name, at)
            assert verified.fault.line == verified.lines + 1
        path.write_bytes(content)


def _lines(folder: Path) -> list[tuple[Path, bytes]]:
    return [(path, line) for path in segments(folder) for line in path.read_bytes().splitlines(keepends=True)]


def _put(folder: Path, rows: list[tuple[Path, bytes]]) -> None:
    for path in segments(folder):
        path.write_bytes(b"".join(line for where, line in rows if where == path))


@pytest.mark.parametrize("number", range(4))
def test_a_line_that_is_missing_is_named(copy: Path, number: int) -> None:
    rows = _lines(copy)
    _put(copy, rows[:number] + rows[number + 1 :])
    fault = verify(copy, KEY).fault
    assert fault
    assert (fault.what, fault.line) == ("truncated" if number == 3 else "removed", number + 1)


@pytest.mark.parametrize("name", [0, 1])
def test_a_file_that_is_missing_is_found(copy: Path, name: int) -> None:
    segments(copy)[name].unlink()
    fault = verify(copy, KEY).fault
    assert fault
    assert fault.what == ("removed", "truncated")[name]


@settings(max_examples=40)
@given(st.data())
def test_no_other_order_of_lines_verifies(
    audit: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    copy = Path(shutil.copytree(audit, tmp_path_factory.mktemp("order") / "copy"))
    rows = _lines(copy)
    picked = data.draw(st.lists(st.sampled_from(rows), min_size=1, max_size=6))
    _put(copy, picked)
    assert verify(copy, KEY).ok == (picked == rows)


def test_files_that_change_names_are_found(copy: Path) -> None:
    first, second = segments(copy)
    first.rename(copy / "000000000002.jsonl")
    assert str(verify(copy, KEY).fault).startswith("The file that begins with line 1 has another's name")
    (copy / "000000000002.jsonl").rename(copy / "000000000009.jsonl")
    assert not verify(copy, KEY).ok
    second.unlink()
    assert not verify(copy, KEY).ok


def test_without_the_key_nothing_can_be_added(copy: Path) -> None:
    whole = verify(copy, KEY)
    path = segments(copy)[-1]
    says = {"event": "sign_in", "who": "account eve"}
    forged = write(bytes(32), moment(9e5), 5, "0" * 64, says)
    path.write_bytes(path.read_bytes() + forged + b"\n")
    verified = verify(copy, KEY)
    assert (verified.head, verified.lines) == (whole.head, 4), "it is no line"
    assert verified.torn_bytes == len(forged) + 1
    assert [line.seq for line in lines(copy, KEY)] == [1, 2, 3, 4]
    opened(copy).note("sign_in", "account anna")
    assert verify(copy, KEY).lines == 6, "what it was is set aside, which a line tells"


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"")], ids=["missing", "empty"])
def test_lines_cut_off_with_their_head_stay_missed(copy: Path, damage: Callable[[Path], object]) -> None:
    rows = _lines(copy)
    _put(copy, rows[:3])
    damage(copy / NAME)
    assert verify(copy, KEY).fault
    opened(copy).note("sign_in", "account anna")
    fault = verify(copy, KEY).fault
    assert fault
    assert (fault.what, fault.line) == ("unsealed", 4)


def test_an_older_state_put_back_whole_shows_by_a_head_from_elsewhere(tmp_path: Path) -> None:
    written(tmp_path / "audit", 3)
    shutil.copytree(tmp_path / "audit", tmp_path / "older")
    head = opened(tmp_path / "audit").note("sign_in", "account anna")
    assert verify(tmp_path / "older", KEY).ok
    fault = verify(tmp_path / "older", KEY, head).fault
    assert fault
    assert (fault.what, fault.line) == ("truncated", 4)
    opened(tmp_path / "older").note("sign_in", "account eve")
    fault = verify(tmp_path / "older", KEY, head).fault
    assert fault
    assert (fault.what, fault.line) == ("another", 4)


def test_another_key_verifies_nothing(audit: Path) -> None:
    verified = verify(audit, bytes(32))
    assert verified.lines == 0
    with pytest.raises(GateRefused) as refused:
        require_whole(verified)
    assert "another ward's" in refused.value.hint


def test_an_audit_that_has_only_begun_is_whole(tmp_path: Path) -> None:
    opened(tmp_path / "audit")
    verified = verify(tmp_path / "audit", KEY)
    assert (verified.ok, verified.lines, str(verified.head)) == (True, 0, f"0:{'0' * 64}")
    assert not verify(tmp_path / "audit", KEY, Head(1, "0" * 64)).ok


def test_where_there_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EdgeKitError, match="There is no audit"):
        verify(tmp_path / "audit", KEY)
