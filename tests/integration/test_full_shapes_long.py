"""A published model's true shapes with random weights, the whole way on a CPU: minutes, and gigabytes of disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from edgekit.machine.room import available_memory
from tests.benchmarks.full_shape import write
from tests.walked import Walked, lacking, walk

Note = Callable[[str, object], None]
pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

MODEL = "tinyllava-1.5b"
TOKENS = 16


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Walked:
    folder = tmp_path_factory.mktemp(MODEL)
    if reason := lacking(MODEL, shutil.disk_usage(folder).free, available_memory()):
        pytest.skip(reason)
    write(MODEL, folder / "checkpoint")
    return walk(folder / "checkpoint", folder, tokens=TOKENS)


def test_it_is_built_and_gives_the_golden_answers(walked: Walked) -> None:
    assert walked.built["check"]["passed"]
    assert walked.built["compiled"]
    assert walked.checked["passed"]
    assert 0 < walked.answered["tokens"] <= TOKENS


def test_its_weights_are_planned_to_the_byte(walked: Walked) -> None:
    assert not walked.unplanned
    assert walked.compared["kv_arena"]["error"] == 0


def test_its_memory_is_planned_as_the_figures_say(walked: Walked, record_property: Note) -> None:
    for name, limit in (("static", 0.03), ("dynamic", 0.10)):
        record_property(name, f"{walked.error(name):+.1%}")
        assert abs(walked.error(name)) <= limit
