"""Every check of the doctor is asked about a recorded machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import TypeAlias

import pytest

from edgekit.doctor.diagnosis import Diagnosis
from edgekit.machine.host import Host
from edgekit.target import Target
from tests.unit.machine.recordings import Recording, named

Check: TypeAlias = Callable[[Host, Target], Iterable[Diagnosis]]
Says: TypeAlias = Callable[..., list[tuple[str, str, str]]]


@pytest.fixture
def says(tmp_path: Path) -> Says:
    """State, what, mend of each diagnosis of a check about a recording."""

    numbers = count()

    def ask(
        check: Check, recording: Recording, wanted: str | Target = "cpu", root: Path | None = None
    ) -> list[tuple[str, str, str]]:
        host = recording.at(root or tmp_path / f"machine {next(numbers)}")
        chosen = named(wanted) if isinstance(wanted, str) else wanted
        return [(diagnosis.state, diagnosis.what, diagnosis.mend) for diagnosis in check(host, chosen)]

    return ask
