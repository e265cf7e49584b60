"""Directories and small files appear whole, or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edgekit.errors import EdgeKitError
from edgekit.files import (
    give_to_owner_of_folder,
    new_directory,
    new_file,
    require_space,
    write_bytes,
    write_text,
    writing,
)


def test_a_directory_appears_when_it_is_complete(tmp_path: Path) -> None:
    out = tmp_path / "a" / "out"
    with new_directory(out) as beside:
        (beside / "inner").mkdir()
        (beside / "inner" / "file").write_text("new")
        assert not out.exists()
        assert beside.parent == out.parent
    assert (out / "inner" / "file").read_text() == "new"
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    assert out.stat().st_mode & 0o777 == 0o755


def test_a_link_goes_in_as_it_is_wherever_it_leads(tmp_path: Path) -> None:
    with new_directory(tmp_path / "out") as beside:
        (beside / "link").symlink_to("/nowhere/at/all")
    assert os.readlink(tmp_path / "out" / "link") == "/nowhere/at/all"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_what_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "file").write_text("old")

    def half() -> None:
        with new_directory(tmp_path / "out", replace=True) as beside:
            (beside / "file").write_text("half")
            raise error

    with pytest.raises(error):
        half()
    assert (tmp_path / "out" / "file").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_directory_is_replaced_only_when_asked(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").write_text("old")
    with pytest.raises(EdgeKitError, match="exists already"), new_directory(tmp_path / "out"):
        pass
    with new_directory(tmp_path / "out", replace=True) as beside:
        (beside / "new").write_text("new")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_old_directory_comes_back_when_the_new_one_cannot_go_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "file").write_text("old")
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self.suffix == ".part":
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with (
        pytest.raises(EdgeKitError, match="can't be written: Input/output error"),
        new_directory(tmp_path / "out", replace=True),
    ):
        pass
    assert (tmp_path / "out" / "file").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_text_is_replaced_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_text(tmp_path / "file", "Übung")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "Übung"

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EdgeKitError, match="No space is left"):
        write_text(tmp_path / "file", "half")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "Übung"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_private_file_was_never_open_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes, fsync = list[int](), os.fsync

    def seen(descriptor: int) -> None:
        modes.extend(path.stat().st_mode & 0o777 for path in tmp_path.iterdir())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", seen)
    before = os.umask(0)
    try:
        write_bytes(tmp_path / "file", b"secret", mode=0o600)
    finally:
        os.umask(before)
    assert set(modes) == {0o600}
    write_bytes(tmp_path / "file", b"for all")
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644


def test_what_root_writes_privately_belongs_to_the_owner_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Simulated, so that it is seen without being root."""
    given = list[tuple[int, int]]()
    monkeypatch.setattr(os, "fchown", lambda descriptor, user, group: given.append((user, group)))
    status = os.stat_result((0o40755, 0, 0, 1, 1234, 5678, 0, 0, 0, 0))
    with open(tmp_path / "file", "wb") as file, monkeypatch.context() as patch:
        patch.setattr(Path, "stat", lambda path: status)
        patch.setattr(os, "geteuid", lambda: 1234)
        give_to_owner_of_folder(file.fileno(), tmp_path)
        assert given == []
        patch.setattr(os, "geteuid", lambda: 0)
        give_to_owner_of_folder(file.fileno(), tmp_path)
        assert given == [(1234, 5678)]
        os.link(tmp_path / "file", tmp_path / "another name")
        give_to_owner_of_folder(file.fileno(), tmp_path)
    assert given == [(1234, 5678)], "it may be another's under that name"


def test_refusals_say_what_to_do(tmp_path: Path) -> None:
    require_space(tmp_path / "file", 1)
    with pytest.raises(EdgeKitError, match=r"needs 1024 TiB") as caught:
        require_space(tmp_path / "file", 2**50)
    assert "Make room" in caught.value.hint
    with pytest.raises(EdgeKitError, match="No such file") as caught, writing(tmp_path / "no" / "file"):
        (tmp_path / "no" / "file").write_text("")
    assert "permissions" in caught.value.hint


FILL = """
import sys
from pathlib import Path
from edgekit.files import new_directory, new_file
with new_directory(Path(sys.argv[1])) as beside:
    (beside / "file").write_text("half")
    print(beside, flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_process_left_goes_and_what_another_fills_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-c", FILL, str(out)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        beside = Path(other.stdout.readline().rstrip())
        with new_directory(out):
            assert (beside / "file").exists()
        other.kill()
    assert beside.exists()
    with new_directory(out, replace=True):
        assert not beside.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_only_leftovers_of_the_same_name_go(tmp_path: Path) -> None:
    stays = [".out.mine.part", ".other.abcd1234.part", ".out.abcd1234.txt", ".out.b.abcd1234.part"]
    for name in [*stays, ".out.abcd1234.part", ".out.abcd1234.old"]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    (tmp_path / "out").mkdir()
    with new_directory(tmp_path / "out", replace=True):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*stays, "out"])


def test_a_directory_that_was_moved_aside_comes_back(tmp_path: Path) -> None:
    (tmp_path / ".out.abcd1234.old").mkdir()
    (tmp_path / ".out.abcd1234.old" / "file").write_text("old")
    with pytest.raises(ValueError, match="fails"), new_directory(tmp_path / "out", replace=True):
        raise ValueError("it fails again")
    assert (tmp_path / "out" / "file").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_an_interruption_between_the_two_renames_brings_the_old_one_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "file").write_text("old")
    rename = Path.rename

    def interrupted(self: Path, target: Path) -> Path:
        if self.suffix == ".part":
            raise error
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises((error, EdgeKitError)), new_directory(tmp_path / "out", replace=True) as beside:
        (beside / "file").write_text("new")
    assert (tmp_path / "out" / "file").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_link_stays_a_link_and_what_it_points_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "current").symlink_to("one")
    with new_directory(tmp_path / "current", replace=True) as beside:
        (beside / "file").write_text("new")
    assert (tmp_path / "current").is_symlink()
    assert (tmp_path / "one" / "file").read_text() == "new"


def test_a_file_appears_when_it_is_complete_and_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "plan"
    with new_file(path) as beside:
        beside.write_text("whole")
        beside.with_name(".scratch").write_text("goes")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert path.stat().st_mode & 0o777 == 0o644
    with pytest.raises(KeyboardInterrupt), new_file(path) as beside:
        beside.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "whole"
    assert os.listdir(path.parent) == ["plan"]


def test_a_file_that_was_not_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EdgeKitError, match="can't be written"), new_file(tmp_path / "plan"):
        pass
    assert os.listdir(tmp_path) == []


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first name that is drawn is taken, the second is not."""
    drawn = iter(["deadbeef", "01234567"])
    monkeypatch.setattr("edgekit.files.secrets.token_hex", lambda size: next(drawn))


@pytest.mark.usefixtures("names")
def test_a_file_of_the_same_name_beside_it_is_left_alone(tmp_path: Path) -> None:
    foreign = tmp_path / ".text.deadbeef"
    foreign.write_text("somebody else's")
    write_text(tmp_path / "text", "ours")
    assert foreign.read_text() == "somebody else's"
    assert (tmp_path / "text").read_text() == "ours"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.usefixtures("names")
def test_a_directory_of_the_same_name_that_another_fills_is_left_alone(tmp_path: Path) -> None:
    foreign = tmp_path / ".made.deadbeef.part"
    foreign.mkdir()
    (foreign / "inside").touch()
    held = os.open(foreign, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        with new_directory(tmp_path / "made") as beside:
            assert beside.name == ".made.01234567.part"
        assert (foreign / "inside").exists()
        assert (tmp_path / "made").is_dir()
    finally:
        os.close(held)


def test_what_took_a_leftover_s_name_meanwhile_is_not_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two clear away at once: the second gets the lock of what the first has removed, by a name that is used again."""
    leftover = tmp_path / ".made.deadbeef.part"
    leftover.mkdir()
    real = fcntl.flock

    def late(descriptor: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", real)
        leftover.rename(tmp_path / "removed")
        leftover.mkdir()
        (leftover / "inside").touch()
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with new_directory(tmp_path / "made"):
        assert (leftover / "inside").exists()
