"""The process that takes a template apart: it may take so much time and memory and no more."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from edgekit import child
from edgekit.checkpoint.chat.__main__ import _lower

ENDLESS = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("work", "result"),
    [
        ("try: bytearray(2**30)\nexcept MemoryError: print('no memory')", "no memory"),
        ("print(resource.getrlimit(resource.RLIMIT_CPU)[0] < 60)", "True"),
        ("print(resource.getrlimit(resource.RLIMIT_CORE)[0])", "0"),
        ("print(len(bytearray(2**27)))", str(2**27)),
    ],
)
def test_the_process_is_bounded(work: str, result: str) -> None:
    script = f"import resource\nfrom edgekit.checkpoint.chat.__main__ import _bound\n_bound()\n{work}"
    ran = subprocess.run([sys.executable, "-c", script], env=child.environment(), capture_output=True, text=True)
    assert (ran.stdout.strip(), ran.returncode) == (result, 0), ran.stderr


@pytest.mark.parametrize(
    ("soft", "hard", "lowered"),
    [(ENDLESS, ENDLESS, 10), (20, ENDLESS, 10), (5, ENDLESS, 5), (5, 7, 5), (20, 30, 10)],
)
def test_a_limit_is_never_raised_and_who_started_it_keeps_the_hard_one(
    soft: int, hard: int, lowered: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: dict[int, tuple[int, int]] = {resource.RLIMIT_CPU: (soft, hard)}
    monkeypatch.setattr("resource.getrlimit", limits.__getitem__)
    monkeypatch.setattr("resource.setrlimit", limits.__setitem__)
    _lower(resource.RLIMIT_CPU, 10)
    assert limits[resource.RLIMIT_CPU] == (lowered, hard)
