"""The machine's programs, for real: missing, failing, hanging; and checks that hang or fail."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from edgekit.doctor import examine
from edgekit.doctor.finding import Finding
from edgekit.doctor.host import Host, Reply, run
from edgekit.target import Target, target
from tests.unit.doctor.machines import VM

ENVIRONMENT = dict(os.environ)


def script(folder: Path, text: str, mode: int = 0o755) -> str:
    path = folder / "nvidia-smi"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(mode)
    return str(path)


def test_a_program_answers(tmp_path: Path) -> None:
    reply = run((script(tmp_path, "echo out; echo err >&2; exit 3"),), 10, ENVIRONMENT)
    assert reply == Reply(3, "out\n", "err\n")


def test_a_program_that_is_missing_or_no_program(tmp_path: Path) -> None:
    assert run(("no-such-program",), 10, ENVIRONMENT).missing
    (tmp_path / "empty").write_bytes(b"\x7fELF")
    (tmp_path / "empty").chmod(0o755)
    reply = run((str(tmp_path / "empty"),), 10, ENVIRONMENT)
    assert reply.why.startswith("can't be run: ")


def test_a_hanging_program_is_ended_with_what_it_started(tmp_path: Path) -> None:
    hanging = script(tmp_path, f"sleep 300 & echo $! > {tmp_path}/child\nsleep 300")
    began = time.monotonic()
    reply = run((hanging,), 1, ENVIRONMENT)
    assert time.monotonic() - began < 30
    assert reply == Reply(None, why="gave no answer within 1 s")
    child = int((tmp_path / "child").read_text())
    for _ in range(100):
        if not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()[2]:
            return
        time.sleep(0.1)
    pytest.fail("the program's child lives on")


def test_a_program_is_asked_each_question_once_and_not_again_after_it_hung() -> None:
    asked: list[tuple[str, ...]] = []

    def runner(command: tuple[str, ...], seconds: float, variables: Mapping[str, str]) -> Reply:
        asked.append(command)
        return Reply(None, why="gave no answer within 10 s") if "-q" in command else Reply(0, "fine")

    host = Host(runner=runner)
    assert [host.run("a", "1").out for _ in range(3)] == ["fine"] * 3
    assert host.run("a", "-q").code is None
    assert host.run("a", "2").code is None
    assert host.run("b", "2").code == 0
    assert asked == [("a", "1"), ("a", "-q"), ("b", "2")]


def test_a_check_that_hangs_or_fails_leaves_the_others_alone(tmp_path: Path) -> None:
    release = threading.Event()

    def hangs(host: Host, wanted: Target) -> Iterator[Finding]:
        release.wait(60)
        yield Finding("slow", "good", "at last")

    def fails(host: Host, wanted: Target) -> Iterator[Finding]:
        raise RuntimeError("nobody thought of this")

    def works(host: Host, wanted: Target) -> Iterator[Finding]:
        yield Finding("fast", "good", "fine")
        yield Finding("fast", "bad", "worse", "mend it")

    report = examine(VM.at(tmp_path), target("cpu"), {"slow": hangs, "odd": fails, "fast": works}, limit_s=0.5)
    release.set()
    assert [(found.subject, found.state) for found in report.findings] == [
        ("odd", "unknown"), ("fast", "bad"), ("fast", "good"), ("slow", "unknown"),
    ]  # fmt: skip
    assert "RuntimeError: nobody thought of this" in report.findings[0].what
    assert report.findings[3].what == "no answer within 0.5 s"
