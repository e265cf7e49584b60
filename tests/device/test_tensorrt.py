"""TensorRT's engines against the CPU's, on a machine with a GPU that its TensorRT builds for.

Plans are built here, for this very device. Logits may differ by 2e-2 of their largest: float16 from end to end.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from edgekit.bundle import open_bundle
from edgekit.check import check
from edgekit.engines.base import PartedEngine
from edgekit.engines.open import engine_here, open_engine
from edgekit.engines.tensorrt.engine import TensorRtEngine
from edgekit.phantom.embedded import embedded
from edgekit.pipeline import build
from edgekit.recipe import recipe
from tests.accelerator import target_here

pytestmark = [
    pytest.mark.device,
    pytest.mark.usefixtures("tensorrt"),
    pytest.mark.filterwarnings("default"),
    pytest.mark.timeout(1800),  # a small device tries kernels for minutes before the first test of a recipe
]

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module", params=["fp16", "q8", "q4"])
def engines(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[PartedEngine, PartedEngine]]:
    wanted = target_here("tensorrt", slots=4)
    made = build(embedded(), wanted, recipe(request.param), tmp_path_factory.mktemp("trt") / request.param)
    assert made.compiled, made.prepared.why
    bundle = open_bundle(made.bundle.path)
    gpu, cpu = open_engine(bundle, 4), engine_here(bundle, 4)
    assert isinstance(gpu, TensorRtEngine)
    assert check(bundle, gpu).passed
    yield gpu, cpu
    gpu.close()
    cpu.close()


def test_rows_of_different_length_past_a_bucket(engines: tuple[PartedEngine, PartedEngine]) -> None:
    rows = [[int(token) for token in RNG.integers(5, 500, count)] for count in (250, 3, 90, 17)]
    found = []
    for engine in engines:
        for slot, tokens in enumerate(rows):
            engine.prefill(slot, engine.embed(tokens), 0)
        steps = [engine.decode([9, 8, 7, 6], [0, 1, 2, 3]) for _ in range(12)]  # the first row outgrows 256 places
        engine.copy(0, 3, 200)
        found.append([*steps, engine.prefill(3, engine.embed(rows[1]), 200)[None]])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-2 * np.abs(other).max())


def test_replayed_steps_are_those_that_were_queued(engines: tuple[PartedEngine, PartedEngine]) -> None:
    """To the bit: the same kernels on the same numbers. TensorRT-RTX captures by itself, and is not asked here."""
    gpu = engines[0]
    assert isinstance(gpu, TensorRtEngine)
    replay, tokens = gpu._decoder._replay, [int(token) for token in RNG.integers(5, 500, 40)]
    if not replay._able:
        pytest.skip("nothing is captured here: TensorRT-RTX does, or NVRTC is missing")
    found = []
    for able in (False, True):
        replay.forget()
        replay._able = able
        gpu.prefill(0, gpu.embed(tokens * 6), 0)  # 240 tokens: the 17th step outgrows the bucket
        gpu.prefill(1, gpu.embed(tokens[:9]), 0)
        rows = [*5 * [[0]], *5 * [[0, 1]], *5 * [[0]], *5 * [[1, 0]], [0], [0]]
        found.append([gpu.decode([token + slot for slot in slots], slots) for token, slots in enumerate(rows, 5)])
        assert (replay._graph is not None) == able
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_pictures(engines: tuple[PartedEngine, PartedEngine]) -> None:
    pixels = RNG.normal(size=(2, 3, 112, 112)).astype(np.float32)
    gpu, cpu = (engine.encode(pixels).astype(np.float32) for engine in engines)
    np.testing.assert_allclose(gpu, cpu, rtol=0, atol=2e-2 * np.abs(cpu).max())
