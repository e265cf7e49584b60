"""The graphs that TensorRT gets, behind the engine's protocol on a CPU: rows together, prefixes, the whole way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgekit.bundle import open_bundle
from edgekit.cli.main import main
from edgekit.engines.onnxruntime.standard import StandardEngine
from edgekit.engines.open import open_engine
from edgekit.pipeline import Built, build
from edgekit.recipe import recipe
from edgekit.target import target
from tests.checkpoints import Tiny, write_checkpoint

TOKENS = [[5, 9, 200, 31, 7, 8], [44, 3], [12, 60, 61, 62]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Tiny, StandardEngine]]:
    folder = tmp_path_factory.mktemp("standard")
    tiny = write_checkpoint(folder / "checkpoint", "hf", "llama", "clip")
    bundle = built(folder, "fp16").bundle
    with closing(open_engine(open_bundle(bundle.path), slots=4)) as engine:
        assert isinstance(engine, StandardEngine)
        yield tiny, engine


def built(folder: Path, name: str) -> Built:
    wanted = replace(target("rtx3050"), context=200, slots=4)
    return build(folder / "checkpoint", wanted, recipe(name), folder / name)


def expected(tiny: Tiny, engine: StandardEngine, tokens: list[int]) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    logits: np.ndarray[tuple[int], np.dtype[np.float32]] = tiny.logits(engine.embed(tokens).astype(np.float32)[None])[
        0, -1
    ]
    return logits


def near(
    found: np.ndarray[tuple[int], np.dtype[np.float32]], wanted: np.ndarray[tuple[int], np.dtype[np.float32]]
) -> None:
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-2 * np.abs(wanted).max())


def test_rows_of_different_length_decode_as_if_alone(made: tuple[Tiny, StandardEngine]) -> None:
    tiny, engine = made
    slots = [2, 0, 3]
    for slot, tokens in zip(slots, TOKENS, strict=True):
        near(engine.prefill(slot, engine.embed(tokens), 0), expected(tiny, engine, tokens))
    logits = engine.decode([70, 71, 72], slots)
    for row, tokens in enumerate(TOKENS):
        near(logits[row], expected(tiny, engine, [*tokens, 70 + row]))


def test_a_prefix_is_copied_and_what_lay_behind_it_forgotten(made: tuple[Tiny, StandardEngine]) -> None:
    tiny, engine = made
    tokens = TOKENS[0]
    engine.prefill(0, engine.embed(tokens[:4]), 0)
    engine.copy(0, 1, 3)
    near(engine.prefill(1, engine.embed([9, 10]), 3), expected(tiny, engine, [*tokens[:3], 9, 10]))
    near(engine.prefill(0, engine.embed([9, 10]), 2), expected(tiny, engine, [*tokens[:2], 9, 10]))


def test_images_are_embedded_as_the_model_does(made: tuple[Tiny, StandardEngine]) -> None:
    tiny, engine = made
    pixels = np.random.default_rng(0).normal(size=(2, 3, 28, 28)).astype(np.float32)
    near(engine.encode(pixels).astype(np.float32), tiny.image_features(pixels))


def test_a_bundle_of_4_bits_is_built_checked_and_asked_without_a_gpu(
    made: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = str(tmp_path / "bundle")
    assert main(["build", "--target", "rtx3050", "--recipe", "q4", "--out", bundle]) == 0
    assert main(["check", bundle]) == 0
    capsys.readouterr()
    assert main(["ask", bundle, "Describe the image.", "--max-tokens", "8", "--json"]) == 0
    assert '"tokens": 8' in capsys.readouterr().out
