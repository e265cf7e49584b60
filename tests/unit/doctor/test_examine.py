"""Checks that hang or fail."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

from edgekit.doctor import examine
from edgekit.doctor.diagnosis import Diagnosis
from edgekit.machine.host import Host
from edgekit.target import Target, target
from tests.unit.machine.recordings import VM


def test_a_check_that_hangs_or_fails_leaves_the_others_alone(tmp_path: Path) -> None:
    release = threading.Event()

    def hangs(host: Host, wanted: Target) -> Iterator[Diagnosis]:
        release.wait(60)
        yield Diagnosis("slow", "good", "at last")

    def fails(host: Host, wanted: Target) -> Iterator[Diagnosis]:
        raise RuntimeError("nobody thought of this")

    def works(host: Host, wanted: Target) -> Iterator[Diagnosis]:
        yield Diagnosis("fast", "good", "fine")
        yield Diagnosis("fast", "bad", "worse", "mend it")

    report = examine(VM.at(tmp_path), target("cpu"), {"slow": hangs, "odd": fails, "fast": works}, limit_s=0.5)
    release.set()
    assert [(diagnosis.subject, diagnosis.state) for diagnosis in report.diagnoses] == [
        ("odd", "unknown"), ("fast", "bad"), ("fast", "good"), ("slow", "unknown"),
    ]  # fmt: skip
    assert "RuntimeError: nobody thought of this" in report.diagnoses[0].what
    assert report.diagnoses[3].what == "no answer within 0.5 s"
