"""Whichever step a power cut came behind, done again it ends the same, and what was there before is kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from edgekit.errors import EdgeKitError
from edgekit.ward.backup.take_in import RESTORED, begun, prepare, require_taken_in, take_in

OLD = {"ward.db": "old", "ward.db-wal": "wal", "ward.db-shm": "shm", "keys.db": "old keys", "pictures/ab/old": "old"}
NEW = {"ward.db": "new", "keys.db": "new keys", "pictures/cd/new": "new", "audit/head": "new"}


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def _read(folder: Path) -> dict[str, str]:
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.is_relative_to(folder / RESTORED)]
    return {path.relative_to(folder).as_posix(): path.read_text() for path in paths}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    _write(tmp_path, OLD)
    _write(tmp_path / RESTORED, NEW)
    prepare(tmp_path / RESTORED, tmp_path)
    return tmp_path


def test_the_new_is_in_its_place_and_the_old_aside(state: Path) -> None:
    assert begun(state)
    with pytest.raises(EdgeKitError, match="was cut off"):
        require_taken_in(state)
    assert take_in(state) == state / "replaced-1"
    assert not begun(state)
    require_taken_in(state)
    assert _read(state) == {**NEW, **{f"replaced-1/{name}": text for name, text in OLD.items()}}


def test_a_second_one_leaves_what_the_first_replaced(state: Path) -> None:
    take_in(state)
    _write(state / RESTORED, {"ward.db": "newer"})
    prepare(state / RESTORED, state)
    assert take_in(state) == state / "replaced-2"
    assert (state / "replaced-1" / "ward.db").read_text() == "old"
    assert (state / "replaced-2" / "ward.db").read_text() == "new"


def test_on_a_bare_machine_nothing_is_replaced(tmp_path: Path) -> None:
    _write(tmp_path / RESTORED, NEW)
    prepare(tmp_path / RESTORED, tmp_path)
    assert take_in(tmp_path) is None
    assert _read(tmp_path) == NEW


def test_it_goes_on_behind_every_step(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step fails, later and later, until none does."""
    names = ("rename", "mkdir", "unlink", "rmdir")
    calls, steps = {name: getattr(os, name) for name in names}, 0

    def counted(name: str, most: int) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal steps
            steps += 1
            if steps > most:
                raise OSError(5, "the power is gone")
            return calls[name](*arguments, **options)

        return call

    for most in range(1, 40):
        steps = 0
        with monkeypatch.context() as patch:
            for name in names:
                patch.setattr(os, name, counted(name, most))
            try:
                take_in(state)
            except EdgeKitError:
                assert begun(state)
                if most % 3:  # as the disk is then, or a step further
                    continue
            else:
                break
    assert most > 5
    assert _read(state) == {**NEW, **{f"replaced-1/{name}": text for name, text in OLD.items()}}
