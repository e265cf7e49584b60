"""The engine on real graphs: whatever else is in the arena, a request's logits are the same to the last bit.

These hold on one machine with one ONNX Runtime; across machines only a tolerance can be promised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgekit.bundle import open_bundle
from edgekit.engines.onnxruntime.engine import OnnxRuntimeEngine, require_kernels
from edgekit.engines.open import open_engine
from edgekit.errors import EngineError
from edgekit.pipeline import build
from edgekit.recipe import Recipe, recipe
from edgekit.target import target
from tests.checkpoints import write_checkpoint

pytestmark = pytest.mark.parity

TARGET = replace(target("cpu"), context=200, slots=4)
FP32 = replace(recipe("fp16"), vision="fp32", projector="fp32", embedding="fp32", decoder="fp32", lm_head="fp32")
KV8 = replace(FP32, name="fp32-kv8", kv="int8")
RECIPES = [recipe("q4"), recipe("q8"), FP32, KV8]


@pytest.fixture(scope="module", params=RECIPES, ids=["q4", "q8", "fp32", "int8 cache"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("engine")
    chosen: Recipe = request.param
    try:
        require_kernels(chosen)
    except EngineError as error:
        pytest.skip(error.message)
    write_checkpoint(folder / "checkpoint", "hf", "llama", "clip")
    return build(folder / "checkpoint", TARGET, chosen, folder / "bundle").bundle.path


@pytest.fixture(scope="module")
def engine(bundle: Path) -> Iterator[OnnxRuntimeEngine]:
    opened = open_engine(open_bundle(bundle), slots=4)
    assert isinstance(opened, OnnxRuntimeEngine)
    yield opened
    opened.close()


def words(count: int, seed: int) -> list[int]:
    return [int(token) for token in np.random.default_rng(seed).integers(5, 200, count)]


def read(engine: OnnxRuntimeEngine, slot: int, tokens: list[int], pieces: list[int]) -> np.ndarray:
    """Prefill ``tokens`` in pieces of the given sizes; the last logits."""
    at, logits = 0, None
    for size in pieces:
        logits = engine.prefill(slot, engine.embed(tokens[at : at + size]), at)
        at += size
    assert at == len(tokens)
    assert logits is not None
    return logits


def follow(engine: OnnxRuntimeEngine, slot: int, logits: np.ndarray, steps: int) -> list[np.ndarray]:
    """Greedy decoding of one slot alone."""
    seen = [logits]
    for _ in range(steps):
        seen.append(engine.decode([int(seen[-1].argmax())], [slot])[0])
    return seen


@pytest.mark.parametrize("pieces", [[1, 99], [99, 1], [37, 63], [33, 33, 34], [50, 3, 47], [2, 98], [65, 35]])
def test_a_prompt_read_in_pieces_is_the_prompt_read_at_once(engine: OnnxRuntimeEngine, pieces: list[int]) -> None:
    tokens = words(100, 1)
    whole = follow(engine, 0, read(engine, 0, tokens, [100]), 3)
    parts = follow(engine, 1, read(engine, 1, tokens, pieces), 3)
    np.testing.assert_array_equal(parts, whole)


@pytest.mark.parametrize("company", [[1], [1, 2], [1, 2, 3], [3]])
def test_rows_that_decode_together_decode_as_if_alone(engine: OnnxRuntimeEngine, company: list[int]) -> None:
    prompts = {slot: words(20 + 31 * slot, slot) for slot in (0, *company)}
    alone = follow(engine, 0, read(engine, 0, prompts[0], [len(prompts[0])]), 6)
    logits = {slot: read(engine, slot, tokens, [len(tokens)]) for slot, tokens in prompts.items()}
    for expected in alone:
        np.testing.assert_array_equal(logits[0], expected)
        slots = sorted(prompts, reverse=True)
        rows = engine.decode([int(logits[slot].argmax()) for slot in slots], slots)
        logits = dict(zip(slots, rows, strict=True))


def test_joining_and_leaving_moves_rows_but_no_answer(engine: OnnxRuntimeEngine) -> None:
    prompts = {slot: words(25 + 10 * slot, 40 + slot) for slot in range(4)}
    alone = {slot: follow(engine, slot, read(engine, slot, p, [len(p)]), 8) for slot, p in prompts.items()}
    logits = {slot: read(engine, slot, p, [len(p)]) for slot, p in prompts.items()}
    done = dict.fromkeys(prompts, 0)
    for live in ([3], [1, 3], [1], [0, 1, 2, 3], [2, 0], [3, 2], [2], [0, 1], [3, 0, 2]):
        rows = engine.decode([int(logits[slot].argmax()) for slot in live], live)
        for slot, row in zip(live, rows, strict=True):
            done[slot] += 1
            np.testing.assert_array_equal(row, alone[slot][done[slot]])
            logits[slot] = row


@pytest.mark.parametrize("shared", [1, 40, 65, 99])
def test_a_copied_prefix_is_a_prefix_read_afresh(engine: OnnxRuntimeEngine, shared: int) -> None:
    tokens, other = words(100, 5), words(30, 6)
    fresh = follow(engine, 0, read(engine, 0, tokens, [100]), 3)
    read(engine, 2, tokens[:shared] + other, [shared, 30])
    engine.copy(2, 3, shared)
    logits = engine.prefill(3, engine.embed(tokens[shared:]), shared)
    np.testing.assert_array_equal(follow(engine, 3, logits, 3), fresh)


def test_a_full_slot_rides_along_unharmed(engine: OnnxRuntimeEngine) -> None:
    """An idle row beside a decoding one takes a write past its end: a full one must keep what it can be asked for."""
    tokens = words(TARGET.context, 7)
    read(engine, 1, tokens, [100, TARGET.context - 100])
    follow(engine, 0, read(engine, 0, words(10, 8), [10]), 3)
    again = engine.prefill(1, engine.embed(tokens[150 : TARGET.context - 1]), 150)
    fresh = read(engine, 2, tokens[:-1], [100, TARGET.context - 101])
    np.testing.assert_array_equal(again, fresh)


def test_images_are_encoded_as_if_alone(engine: OnnxRuntimeEngine) -> None:
    pixels = np.random.default_rng(9).normal(size=(3, 3, 28, 28)).astype(np.float32) * [[[[1]]], [[[5]]], [[[0.2]]]]
    together = engine.encode(pixels.astype(np.float32))
    for image, embeds in zip(pixels.astype(np.float32), together, strict=True):
        np.testing.assert_array_equal(engine.encode(image[None])[0], embeds)


@pytest.mark.parametrize("harm", [lambda file: file.write_bytes(b"no graph"), lambda file: file.unlink()])
def test_a_graph_that_does_not_load_is_named(tmp_path: Path, bundle: Path, harm: Callable[[Path], None]) -> None:
    (tmp_path / "graphs").mkdir()
    for file in (bundle / "graphs").iterdir():
        (tmp_path / "graphs" / file.name).write_bytes(file.read_bytes())
    harm(tmp_path / "graphs" / "decoder.onnx")
    with pytest.raises(EngineError, match=r"decoder\.onnx"):
        OnnxRuntimeEngine(open_bundle(bundle), tmp_path / "graphs", slots=1)
