"""Calibrated checkpoints: folding changes nothing, every method loses less than rounding, interrupted runs go on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from edgekit.blocks import Block, BlockModel, Floats
from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.open import open_checkpoint
from edgekit.checkpoint.packed import PackedTensor
from edgekit.export.embedding import is_the_head
from edgekit.quantize import layer
from edgekit.quantize.calibrated import calibrated
from edgekit.quantize.layer import Moments, fold, folds, gather
from edgekit.quantize.quantize import quantize
from edgekit.quantize.samples import Sample
from edgekit.recipe import Method, Recipe, recipe
from tests.checkpoints import DecoderKind, write_checkpoint

METHODS: tuple[Method, ...] = ("awq", "gptq", "awq+gptq")
WIDTH = {"llama": 288, "mistral": 288, "phi": 160}


def opened(folder: Path, kind: DecoderKind = "llama") -> Checkpoint:
    return open_checkpoint(write_checkpoint(folder, "hf", kind, "clip").path)


def rows(width: int, length: int = 48, seed: int = 0) -> Floats:
    """Rows that go together, with a few strong places."""
    rng = np.random.default_rng(seed)
    mixed = rng.standard_normal((length, width // 8)) @ rng.standard_normal((width // 8, width))
    mixed[:, :: width // 6] *= 6
    return mixed.astype(np.float32)


def taken(width: int, count: int = 4) -> list[Sample]:
    return [Sample(rows(width, 40 + seed, seed), np.ones(40 + seed, np.float32)) for seed in range(count)]


def by(method: Method) -> Recipe:
    return replace(recipe("q4"), method=method, group=32)


def layer_error(original: Block, checkpoint: Checkpoint, index: int, x: Floats) -> float:
    quantized = BlockModel(checkpoint).layer(index)
    difference = quantized(x[None]) - original(x[None])
    return float(np.linalg.norm(difference) / np.linalg.norm(original(x[None]) - x[None]))


@pytest.mark.parametrize("kind", ["llama", "phi"])
def test_folded_and_not_rounded_the_model_is_the_original(kind: DecoderKind, tmp_path: Path) -> None:
    model = BlockModel(opened(tmp_path / "c", kind))
    x = rows(WIDTH[kind])[None]
    for block in (model.layer(0), model.layer(1), model.head):
        inputs = {
            tap: gathered.inputs for tap, gathered in gather(block, [(x[0], np.ones(x.shape[1], np.float32))]).items()
        }
        weights = dict(block.weights)
        before = {tap: np.array(seen.mean_abs) for tap, seen in inputs.items()}
        for one in folds(block.name, block):
            fold(weights, inputs, block.reads, one, 32)
        assert any(not np.array_equal(before[tap], inputs[tap].mean_abs) for tap in inputs)
        if kind == "llama":
            np.testing.assert_allclose(block(x, weights), block(x), rtol=1e-5, atol=1e-5 * np.abs(block(x)).max())
        else:  # LayerNorm has a bias, which float16 holds anew
            np.testing.assert_allclose(block(x, weights), block(x), atol=2e-3 * np.abs(block(x)).max())


@pytest.mark.parametrize("kind", ["llama", "phi"])
@pytest.mark.parametrize("method", METHODS)
def test_every_layer_loses_less_than_by_rounding_to_nearest(method: Method, kind: DecoderKind, tmp_path: Path) -> None:
    checkpoint, width = opened(tmp_path / "c", kind), WIDTH[kind]
    samples = taken(width)
    learned, errors = calibrated(checkpoint, by(method), samples, tmp_path / "work")
    assert len(errors) == (15 if kind == "llama" else 13)
    assert all(0 < error < 0.2 for error in errors.values())
    nearest = quantize(checkpoint, by("rtn"))
    x = samples[0].rows
    for index in range(2):
        original = BlockModel(checkpoint).layer(index)
        assert layer_error(original, learned, index, x) < layer_error(original, nearest, index, x)
        x = original(x[None])[0]


def test_all_of_the_decoder_is_packed_and_the_rest_is_as_by_rounding(tmp_path: Path) -> None:
    checkpoint = opened(tmp_path / "c")
    tensors = calibrated(checkpoint, by("awq+gptq"), taken(288), tmp_path / "work")[0].tensors
    nearest = quantize(checkpoint, by("rtn")).tensors
    assert list(tensors) == list(nearest)
    for name, weight in nearest.items():
        if not name.startswith("decoder."):
            assert tensors[name] is not None
            continue
        assert tensors[name].shape == weight.shape
        assert hasattr(tensors[name], "packed_rows") == hasattr(weight, "packed_rows")
        if hasattr(weight, "packed_rows"):
            packed = cast("PackedTensor", tensors[name])
            assert packed.group == cast("PackedTensor", weight).group
            assert (packed.packed_rows(0, 3).scales > 0).all()


class Stopped(Exception):
    pass


def test_an_interrupted_run_goes_on_at_its_block_and_ends_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint, samples = opened(tmp_path / "c"), taken(288)
    whole, errors = calibrated(checkpoint, by("awq+gptq"), samples, tmp_path / "whole")
    asked: list[str] = []
    quantized_block = layer.quantized_block

    def counting(block: Block, *more: Any) -> Any:
        asked.append(block.name)
        return quantized_block(block, *more)

    def stopping(block: Block, *more: Any) -> Any:
        if block.name.endswith(".1"):
            raise Stopped
        return counting(block, *more)

    monkeypatch.setattr("edgekit.quantize.calibrated.quantized_block", stopping)
    with pytest.raises(Stopped):
        calibrated(checkpoint, by("awq+gptq"), samples, tmp_path / "work")
    monkeypatch.setattr("edgekit.quantize.calibrated.quantized_block", counting)
    found, errors_found = calibrated(checkpoint, by("awq+gptq"), samples, tmp_path / "work")
    assert errors_found == errors
    assert asked == ["decoder.layers.0", "decoder.layers.1", "decoder"]
    for name, weight in whole.tensors.items():
        if hasattr(weight, "packed_rows"):
            one, other = (cast("PackedTensor", side[name]).packed_rows(0, 9) for side in (whole.tensors, found.tensors))
            np.testing.assert_array_equal(one.codes, other.codes)
            np.testing.assert_array_equal(one.scales, other.scales)
    assert not list((tmp_path / "work").glob("*.part"))


def test_other_samples_or_another_recipe_begin_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = opened(tmp_path / "c")
    calibrated(checkpoint, by("gptq"), taken(288), tmp_path / "work")
    asked: list[str] = []
    quantized_block = layer.quantized_block

    def counting(block: Block, *more: Any) -> Any:
        asked.append(block.name)
        return quantized_block(block, *more)

    monkeypatch.setattr("edgekit.quantize.calibrated.quantized_block", counting)
    calibrated(checkpoint, by("gptq"), taken(288), tmp_path / "work")
    assert asked == []
    calibrated(checkpoint, by("gptq"), taken(288, 3), tmp_path / "work")
    calibrated(checkpoint, by("awq"), taken(288, 3), tmp_path / "work")
    assert len(asked) == 6


def test_moments_are_sums_over_weighted_tokens() -> None:
    x, weights = rows(48, 20), np.linspace(0.1, 1, 20, dtype=np.float32)
    moments = Moments(48)
    moments.add(x[:7], weights[:7])
    moments.add(x[7:], weights[7:])
    np.testing.assert_allclose(moments.inputs.matrix, (x * weights[:, None]).T @ x, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(
        moments.inputs.mean_abs, (np.abs(x) * weights[:, None]).sum(0) / weights.sum(), rtol=1e-5
    )


def test_a_picture_s_many_rows_are_thinned_and_weigh_as_much() -> None:
    weights = np.concatenate([np.ones(5), np.full(60, 1 / 12), np.ones(4)]).astype(np.float32)
    kept, counted = layer._thinned(weights)
    assert len(kept) == 9 + 60 // 4
    assert counted.sum() == pytest.approx(weights.sum())
    assert set(range(5)) | set(range(65, 69)) <= set(kept.tolist())
    whole = np.ones(7, np.float32)
    np.testing.assert_array_equal(layer._thinned(whole)[0], np.arange(7))


@pytest.mark.parametrize("kind", ["llama", "phi"])
def test_int8_loses_less_than_by_rounding_to_nearest(kind: DecoderKind, tmp_path: Path) -> None:
    checkpoint, samples = opened(tmp_path / "c", kind), taken(WIDTH[kind])
    how = replace(recipe("q8"), method="awq+gptq")
    found, errors = calibrated(checkpoint, how, samples, tmp_path / "work")
    by_rounding = calibrated(checkpoint, replace(how, method="awq"), samples, tmp_path / "nearest")[1]
    assert errors.keys() == by_rounding.keys()
    assert sum(errors.values()) < 0.8 * sum(by_rounding.values()) < 0.02 * len(errors)
    nearest = quantize(checkpoint, replace(how, method="rtn"))
    for index in range(2):
        original = BlockModel(checkpoint).layer(index)
        x = samples[0].rows
        assert layer_error(original, found, index, x) < layer_error(original, nearest, index, x)


def test_a_tied_int8_head_and_its_embedding_stay_one_table(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "c", "hf", text={"tie_word_embeddings": True})
    checkpoint = open_checkpoint(tmp_path / "c")
    found, errors = calibrated(checkpoint, replace(recipe("q8"), method="gptq"), taken(288), tmp_path / "work")
    assert "decoder.lm_head.weight" in errors
    assert is_the_head(found)
    assert not is_the_head(quantize(checkpoint, recipe("q4")))
