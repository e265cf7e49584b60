"""What the nightly check said is kept whole, read by whoever may, and takes no failure back that it did not look at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.check.nightly import (
    FAILED,
    NOT_DONE,
    PASSED,
    VARIABLE,
    Finding,
    Nightly,
    Part,
    after,
    nightly_here,
    not_done,
    part,
    read_nightly,
    write_nightly,
)

DAY = "2026-11-30T03:10:00.000Z"
GOOD = Part(outcome=PASSED, at=DAY)
BAD = part([Finding("libcuda was replaced", "restart")], DAY)


def nightly(files: Part = GOOD, answers: Part = GOOD, release: str = "1" * 64) -> Nightly:
    return Nightly(release=release, files=files, answers=answers)


def test_a_part_fails_by_what_was_found() -> None:
    assert part([], DAY) == GOOD
    assert (BAD.outcome, not_done("no room", DAY).outcome) == (FAILED, NOT_DONE)
    assert nightly(files=BAD).failed
    assert nightly(answers=BAD).failed
    assert not nightly(answers=not_done("no room", DAY)).failed


def test_what_is_written_is_read_by_the_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = replace(nightly(BAD, not_done("no room", DAY)), manner="stopped", downtime_s=1.5)
    path = tmp_path / "state" / "checked"
    path.parent.mkdir()
    (tmp_path / "current").symlink_to(f"releases/{said.release}")
    write_nightly(path, said)
    assert read_nightly(path) == said
    assert path.stat().st_mode & 0o777 == 0o644, "the service's user is another"
    assert nightly_here() is None, "no unit names it"
    monkeypatch.setenv(VARIABLE, str(path))
    assert nightly_here() == said
    (tmp_path / "current").unlink()
    assert nightly_here() is None, "nothing is installed"
    (tmp_path / "current").symlink_to(f"releases/{'2' * 64}")
    assert nightly_here() is None, "of the release before"
    (tmp_path / "current").unlink()
    (tmp_path / "current").symlink_to(f"releases/{said.release}")
    path.write_text(path.read_text().replace("libcuda", "libcudb"))
    assert nightly_here() is None, "damaged"
    path.unlink()
    assert nightly_here() is None


def test_a_failure_holds_until_it_was_looked_at_again() -> None:
    none = not_done("busy", DAY)
    assert after(None, nightly(none, none)) == nightly(none, none)
    assert after(nightly(BAD, GOOD), nightly(none, none)) == nightly(BAD, none), "what passed is no word of tonight's"
    assert after(nightly(GOOD, BAD), nightly(GOOD, none)) == nightly(GOOD, BAD)
    assert after(nightly(BAD, BAD), nightly()) == nightly()
    assert after(nightly(BAD, BAD, "2" * 64), nightly(none, none)) == nightly(none, none), "of another release"
