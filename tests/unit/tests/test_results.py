"""The table that the long tests end with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgekit.machine import look
from tests.results import ROOT, Result, commit, instructions, table

LONG = """
import pytest

@pytest.fixture(scope="module")
def nothing():
    pytest.skip("no disk")

@pytest.mark.long
def test_first(record_property):
    record_property("growth", "1 MiB")

@pytest.mark.long
def test_second(nothing): ...

@pytest.mark.long
def test_third():
    raise AssertionError

def test_short():
    raise AssertionError
"""


@pytest.mark.parametrize(
    ("features", "title"),
    [
        (("avx", "avx2", "fma"), "AVX2 alone"),
        (("avx2", "avx512f", "avx512_vnni"), "AVX512-VNNI"),
        (("avx2", "avx512f"), "AVX512 without VNNI"),
        (("asimd", "asimddp"), "NEON with dot products"),
        ((), "no vector instructions known here"),
    ],
)
def test_a_processor_is_named_by_what_decides_its_speed(features: tuple[str, ...], title: str) -> None:
    assert instructions(features) == title


def test_a_table_says_when_of_what_and_where() -> None:
    results = [Result("tests/a.py::test[x|y]", 61.25, "passed", (("static", "-0.3%"), ("dynamic", "+4.5%")))]
    assert table(results, "2026-01-02", "abc", "a Xeon, AVX2 alone").splitlines() == [
        "## Long tests (2026-01-02, abc; a Xeon, AVX2 alone)",
        "",
        "| test | seconds | result | |",
        "|---|---|---|---|",
        "| `a.py::test[x\\|y]` | 61.2 | passed | static -0.3%, dynamic +4.5% |",
    ]


def test_outside_a_repository_there_is_no_commit(tmp_path: Path) -> None:
    assert commit(tmp_path) == "no commit"


def test_a_run_of_the_long_tests_ends_with_it(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(LONG)
    command = [sys.executable, "-m", "pytest", "-m", "long", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    command += ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path), str(tmp_path)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    said = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environ).stdout
    assert instructions(look().features) in said
    rows = [line for line in said.splitlines() if line.startswith("| `test_some.py::")]
    names, told = zip(*(row.split(" | ", 2)[::2] for row in rows), strict=True)
    assert names == tuple(f"| `test_some.py::test_{name}`" for name in ("first", "second", "third"))
    assert told == ("passed | growth 1 MiB |", "skipped: no disk |  |", "failed |  |")
