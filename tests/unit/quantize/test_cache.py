"""Scales of an int8 cache: from what a cache really holds, wherever it will stand, and kept with the weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from edgekit.blocks import BlockModel, Floats
from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.open import open_checkpoint
from edgekit.checkpoint.packed import Tensor
from edgekit.checkpoint.shapes import cache_scales, has_cache_scales
from edgekit.errors import CheckpointError
from edgekit.quantize import quantize, write_checkpoint
from edgekit.quantize.cache import MARGIN, lengths_of_pairs, scales, with_cache_scales
from edgekit.quantize.shown import phantoms
from edgekit.recipe import recipe
from tests.checkpoints import DecoderKind
from tests.checkpoints import write_checkpoint as write_tiny

KV8 = replace(recipe("q8"), name="q8-kv8", kv="int8")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return open_checkpoint(write_tiny(tmp_path_factory.mktemp("cache") / "c", "hf", "llama", "clip").path)


@pytest.fixture(scope="module")
def view(source: Checkpoint) -> Checkpoint:
    return with_cache_scales(quantize(source, KV8), phantoms(source, 2))


def held(checkpoint: Checkpoint, name: str) -> Floats:
    tensor = cast("Tensor", checkpoint.tensors[name])
    return np.asarray(tensor.rows(0, tensor.shape[0]), np.float32)


@pytest.mark.parity
@pytest.mark.parametrize("kind", ["llama", "phi"])
def test_a_block_gives_the_keys_and_values_that_transformers_keeps(kind: DecoderKind, tmp_path: Path) -> None:
    import torch

    tiny = write_tiny(tmp_path / "c", "hf", kind, "clip")
    model = BlockModel(open_checkpoint(tiny.path))
    x = np.random.default_rng(0).standard_normal((2, 9, model.spec.decoder.hidden), dtype=np.float32)
    with torch.no_grad():
        outputs: Any = tiny.model.model.language_model(inputs_embeds=torch.from_numpy(x), use_cache=True)
    layer = outputs.past_key_values.layers[0]
    out, keys, values = model.layer(0).with_cache(x)
    np.testing.assert_array_equal(out, model.layer(0)(x))
    np.testing.assert_allclose(keys, layer.keys.numpy(), atol=1e-5)
    np.testing.assert_allclose(values, layer.values.numpy(), atol=1e-5)


def test_every_scale_is_there_and_holds_what_was_seen_with_the_margin(source: Checkpoint, view: Checkpoint) -> None:
    wanted = cache_scales(source.spec.decoder)
    assert {name: held(view, name).shape for name in wanted} == wanted
    assert all((held(view, name) > 0).all() for name in wanted)
    model = BlockModel(quantize(source, KV8))
    piece = phantoms(source, 1)[0]
    pixels = piece.images[0].pixels()[None]
    for block in (*model.tower, model.projector):
        pixels = block(pixels)
    _, keys, values = model.layer(0).with_cache(pixels)
    for scaled, name in ((keys, "k"), (values, "v")):
        scale = held(view, f"decoder.layers.0.attn.{name}_scale").reshape(1, keys.shape[1], 1, -1)
        assert (np.abs(scaled) <= 127 * scale / MARGIN * 1.001).all()


def test_keys_are_measured_wherever_they_will_stand(source: Checkpoint) -> None:
    """Turning a pair by any angle does not change what it is measured to be."""
    decoder = replace(source.spec.decoder, rope=replace(source.spec.decoder.rope, dim=16), head_dim=24)
    keys = np.random.default_rng(0).standard_normal((2, 24)).astype(np.float32)
    turned = keys.copy()
    turned[:, :8], turned[:, 8:16] = keys[:, :8] * 0.6 - keys[:, 8:16] * 0.8, keys[:, 8:16] * 0.6 + keys[:, :8] * 0.8
    np.testing.assert_allclose(lengths_of_pairs(keys, decoder), lengths_of_pairs(turned, decoder), rtol=1e-5)
    assert (lengths_of_pairs(keys, decoder) >= np.abs(keys) - 1e-6).all()
    np.testing.assert_array_equal(lengths_of_pairs(keys, decoder)[:, 16:], np.abs(keys[:, 16:]))


def test_silent_channels_can_speak_later() -> None:
    assert scales(np.zeros(4, np.float32)).min() > 0
    kept = scales(np.array([0, 8, 1], np.float32))
    assert kept[0] > 0
    np.testing.assert_allclose(kept[1:], np.array([8, 1]) * MARGIN / 127, rtol=1e-6)


def test_scales_travel_with_a_checkpoint_and_go_where_nobody_asks_for_them(view: Checkpoint, tmp_path: Path) -> None:
    write_checkpoint(view, KV8, tmp_path / "q")
    read = open_checkpoint(tmp_path / "q")
    for name in cache_scales(view.spec.decoder):
        np.testing.assert_array_equal(held(read, name), held(view, name))
        assert cast("Tensor", read.tensors[name]).dtype == np.float32
    assert has_cache_scales(quantize(read, KV8).tensors)
    assert not has_cache_scales(quantize(read, recipe("q8")).tensors)


def test_scales_that_are_there_in_part_are_refused(view: Checkpoint, tmp_path: Path) -> None:
    missing = "decoder.layers.1.attn.v_scale"
    part = {name: tensor for name, tensor in view.tensors.items() if name != missing}
    write_checkpoint(replace(view, tensors=part), KV8, tmp_path / "q")
    with pytest.raises(CheckpointError, match=missing):
        open_checkpoint(tmp_path / "q")
