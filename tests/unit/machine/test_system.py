"""Small files of the system's, fields in them, and the time."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from edgekit.machine.detect import detect
from edgekit.machine.host import Host
from edgekit.machine.system import architecture, cores, field_of, read_text, utc_now

CPUINFO = "processor\t: 0\nmodel name\t: Some CPU @ 2.0 GHz\nflags\t\t: fpu avx2\nempty:\nprocessor\t: 1\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [("processor", "0"), ("model name", "Some CPU @ 2.0 GHz"), ("flags", "fpu avx2"), ("empty", ""), ("name", "")],
)
def test_a_field_is_what_stands_behind_its_whole_name(name: str, value: str) -> None:
    assert field_of(CPUINFO, name) == value


def test_what_cannot_be_read_is_empty(tmp_path: Path) -> None:
    (tmp_path / "odd").write_bytes(b"a\xff")
    assert read_text(tmp_path / "odd") == "a\N{REPLACEMENT CHARACTER}"
    assert read_text(tmp_path / "missing") == read_text(tmp_path) == ""


@pytest.mark.parametrize(
    ("name", "said"),
    [("AMD64", "x86_64"), ("x86_64", "x86_64"), ("arm64", "aarch64"), ("ARM64", "aarch64"), ("riscv64", "riscv64")],
)
def test_an_architecture_is_called_as_targets_call_it(name: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert architecture(name) == said
    monkeypatch.setattr("platform.machine", lambda: name)
    assert architecture() == detect().arch == Host().arch == said


def test_only_processors_that_this_process_may_use_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 5, 7}, raising=False)
    assert cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cores() == 1


def test_the_time_is_told_to_the_second_in_utc() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", utc_now())
