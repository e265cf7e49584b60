"""The machine's programs, for real: missing, failing, hanging."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from edgekit.machine.programs import Reply, run

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
