"""Steps that repeat themselves, captured and replayed on the simulated GPU: they compute what plain ones do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edgekit.engines.tensorrt.engine import TensorRtEngine
from edgekit.errors import EngineError
from tests.simulated_tensorrt.device import FakeDevice
from tests.simulated_tensorrt.module import FakeTensorRt
from tests.simulated_tensorrt.plan import plans
from tests.unit.engines.tensorrt.case import CONTEXT, SLOTS, Case, Floats, closing, read


def steps(engine: TensorRtEngine, case: Case) -> list[Floats]:
    """Logits of decoding by one, two and three rows, in turns, until one outgrows its bucket, and beyond."""
    for slot, length in enumerate((248, 5, 33)):
        read(engine, slot, case.tokens(length, slot))
    rows = [*4 * [[0]], [0, 1], [0, 1], [0, 1, 2], [0, 1], [0, 1, 2], [0, 1, 2], [2, 1, 0], [0, 2, 1]]
    found = [engine.decode([step + slot for slot in slots], slots) for step, slots in enumerate(rows, 7)]
    return [*found, read(engine, 1, case.tokens(9, 5)), engine.decode([3], [1]), engine.decode([3], [1])]


def test_steps_that_repeat_themselves_are_replayed_and_compute_the_same(case: Case) -> None:
    plain, captured = FakeDevice(captures=False), FakeDevice()
    with closing(case.open(plain)) as one, closing(case.open(captured)) as other:
        for expected, found in zip(steps(one, case), steps(other, case), strict=True):
            np.testing.assert_array_equal(found, expected)
        assert plain.replays == 0
        assert captured.replays == 3 + 1 + 3 + 1  # one row, two, three in the grown arena, one again
        assert len(captured.graphs) == 1
    assert captured.graphs == {}


def test_one_that_cannot_be_captured_is_not_tried_again(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    device, asked = FakeDevice(), []

    def capture(work: Callable[[], None]) -> None:
        asked.append(work)

    monkeypatch.setattr(device, "capture", capture)
    with closing(case.open(device)) as engine:
        steps(engine, case)
    assert len(asked) == 1


def test_a_replay_that_fails_is_done_plainly(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    device, plain = FakeDevice(), FakeDevice(captures=False)

    def refused(graph: object) -> None:
        raise EngineError("The GPU has run out of memory", "")

    monkeypatch.setattr(device, "replay", refused)
    with closing(case.open(plain)) as one, closing(case.open(device)) as other:
        for expected, found in zip(steps(one, case), steps(other, case), strict=True):
            np.testing.assert_array_equal(found, expected)
        assert device.graphs == {}


@pytest.mark.parametrize("why", ["copies", "lengths on the host", "TensorRT-RTX captures itself"])
def test_steps_whose_lengths_are_read_here_or_that_are_captured_already_are_not(why: str, mine: Case) -> None:
    device = FakeDevice(compiles=why != "copies")
    name: Any = "tensorrt_rtx" if "RTX" in why else "tensorrt"
    made = plans(mine.bundle.path / "graphs", mine.bundle.manifest.spec, SLOTS, CONTEXT)
    if "host" in why:
        replace(made["decoder"], on_host=["lengths"]).write(mine.plans / "decoder.plan")
    module = FakeTensorRt(device, name)
    with closing(mine.open(device, module)) as engine:
        steps(engine, mine)
    assert device.replays == 0
    assert module.captured == (["decoder.onnx"] if "RTX" in why else [])
