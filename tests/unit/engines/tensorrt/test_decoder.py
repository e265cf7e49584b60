"""What goes over the bus, to the byte: what a step is given and what it answers, and of keys and values nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from edgekit.engines.tensorrt.engine import TensorRtEngine
from tests.simulated_tensorrt.device import FakeDevice
from tests.unit.engines.tensorrt.case import CONTEXT, Case, closing, read

LOGITS_AT = 8


def moved(device: FakeDevice, work: Callable[[], object]) -> tuple[int, int]:
    """Bytes up and down that ``work`` moves."""
    device.synchronize()
    before = device.uploaded, device.downloaded
    work()
    device.synchronize()
    return device.uploaded - before[0], device.downloaded - before[1]


def expected(case: Case, rows: int, tokens: int) -> tuple[int, int]:
    """Embeddings in float16, a length for each row and the token that is asked; each row's logits in float32."""
    decoder = case.bundle.manifest.spec.decoder
    return rows * tokens * decoder.hidden * 2 + rows * 4 + LOGITS_AT, rows * decoder.vocab * 4


@pytest.fixture(params=["replayed", "plain", "copies"])
def device(request: pytest.FixtureRequest) -> FakeDevice:
    """Each way to run a step: captured, by the kernel, or by copies where there is none."""
    return FakeDevice(compiles=request.param != "copies", captures=request.param == "replayed")


def steps(engine: TensorRtEngine, slots: list[int], count: int) -> None:
    for _ in range(count):
        engine.decode([9] * len(slots), slots)


@pytest.mark.parametrize("slots", [[0], [2, 0], [1, 2, 0]], ids=["one", "two", "three"])
@pytest.mark.parametrize("held", [3, 200, 253, 300])  # 253 outgrows a bucket on the way
def test_a_step_moves_its_tokens_and_its_answers_whatever_is_held(
    slots: list[int], held: int, case: Case, device: FakeDevice
) -> None:
    with closing(case.open(device)) as engine:
        for slot in range(3):
            read(engine, slot, case.tokens(held if slot == slots[0] else 5, slot))
        up, down = expected(case, len(slots), 1)
        assert moved(device, lambda: steps(engine, slots, 6)) == (6 * up, 6 * down)
        assert (device.replays > 0) == device.captures


@pytest.mark.parametrize("tokens", [1, 64])
@pytest.mark.parametrize("held", [0, 5, 200, 256])  # from 256 on the arena is laid out anew
def test_a_piece_of_a_prompt_moves_itself_and_one_answer(
    tokens: int, held: int, case: Case, device: FakeDevice
) -> None:
    with closing(case.open(device)) as engine:
        read(engine, 0, case.tokens(held, 1))
        piece = engine.embed(case.tokens(tokens, 2))
        assert moved(device, lambda: engine.prefill(0, piece, held)) == expected(case, 1, tokens)


def test_keys_and_values_are_copied_where_they_lie(case: Case, device: FakeDevice) -> None:
    with closing(case.open(device)) as engine:
        read(engine, 0, case.tokens(CONTEXT - 1, 1))
        read(engine, 1, case.tokens(7, 2))
        copies = device.copies
        assert moved(device, lambda: engine.copy(0, 2, 290)) == (0, 0)
        assert device.copies > copies
        copies = device.copies
        assert moved(device, lambda: engine._arena.lead([2, 1])) == (0, 0)
        assert device.copies > copies
        assert moved(device, lambda: engine._arena.wash(2)) == (0, 0)


def test_a_picture_moves_itself_and_what_is_seen_in_it(case: Case, device: FakeDevice) -> None:
    spec = case.bundle.manifest.spec
    image, tokens = 3 * spec.image.size**2, spec.vision.tokens
    pixels = np.zeros((2, 3, spec.image.size, spec.image.size), np.float32)
    with closing(case.open(device)) as engine:
        features = engine.features(pixels)
        assert moved(device, lambda: engine.features(pixels)) == (2 * 2 * image, 2 * 2 * features[0].size)
        seen = 2 * 2 * tokens * spec.decoder.hidden
        assert moved(device, lambda: engine.project(features)) == (2 * 2 * features[0].size, seen)
