"""kill -9 at any moment: whatever was acknowledged is there, and nothing lies about."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.mirrored import ROOT
from tests.ward_killed import ME, Acknowledged, check
from tests.wards import open_ward


def killed_before_each(folder: Path, step: int) -> int:
    command = [sys.executable, "-m", "tests.ward_killed", "each", str(folder / "each"), str(step)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_between_two_statements(tmp_path: Path) -> None:
    assert killed_before_each(tmp_path, 19) > 150


@pytest.mark.long
def test_between_any_two_statements(tmp_path: Path) -> None:
    killed_before_each(tmp_path, 1)


ACT_S = 0.02
"""What an act takes, more or less: a moment within it is a moment of any kind."""


def written_under_fire(folder: Path, count: int, most: int) -> int:
    """Write conversations, and kill whoever does at random moments until all are there; how many were killed.

    A moment is told by up to ``most`` acts that were acknowledged, eight to a conversation, and a little time: by time
    alone, a fast machine would be through before.
    """
    acknowledged, kills = Acknowledged(), 0
    command = [sys.executable, "-m", "tests.ward_killed", "write", str(folder), str(count)]
    while True:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as writer:
            assert writer.stdout
            lines = [writer.stdout.readline() for _ in range(random.randint(1, most))]
            time.sleep(random.uniform(0, ACT_S))
            writer.kill()
            lines += writer.stdout.readlines()
        acknowledged.add(line for line in lines if line.endswith("\n"))
        check(folder, acknowledged)
        if writer.returncode == 0:
            return kills
        kills += 1


def test_at_random_moments(tmp_path: Path) -> None:
    assert written_under_fire(tmp_path, 12, 40) >= 1
    with open_ward(tmp_path) as ward:
        assert len(ward.conversations.list(ME, limit=100)) >= 12


@pytest.mark.long
def test_at_random_moments_of_200_conversations(tmp_path: Path) -> None:
    assert written_under_fire(tmp_path, 200, 100) >= 10
