"""A model run block by block against transformers' own, for every family."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edgekit.blocks import BlockModel, Floats
from edgekit.checkpoint.open import open_checkpoint
from edgekit.quantize import quantize
from edgekit.recipe import recipe
from tests.checkpoints import FAMILIES, DecoderKind, Layout, TowerKind, write_checkpoint


def normal(*shape: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def decoded(model: BlockModel, x: Floats) -> Floats:
    for index in range(model.spec.decoder.layers):
        x = model.layer(index)(x)
    return model.head(x)


@pytest.mark.parity
@pytest.mark.parametrize(("layout", "decoder", "tower", "more"), FAMILIES, ids=lambda value: str(value)[:12])
def test_blocks_in_a_row_are_the_model(
    layout: Layout, decoder: DecoderKind, tower: TowerKind, more: dict[str, Any], tmp_path: Path
) -> None:
    import torch

    tiny = write_checkpoint(tmp_path / "c", layout, decoder, tower, **more)
    model = BlockModel(open_checkpoint(tiny.path))
    x: Floats = normal(2, 3, 28, 28)
    pixels = x
    for block in model.tower:
        x = block(x)
    embeds = model.projector(x)
    np.testing.assert_allclose(embeds, tiny.image_features(pixels), atol=2e-4, rtol=1e-3)
    rows = np.concatenate([normal(2, 5, model.spec.decoder.hidden), embeds], axis=1)
    with torch.no_grad():
        expected = tiny.model.model.language_model(inputs_embeds=torch.from_numpy(rows)).last_hidden_state
        expected = tiny.model.lm_head(expected).numpy()
    np.testing.assert_allclose(decoded(model, rows), expected, atol=3e-4, rtol=1e-3)


def test_packed_weights_count_as_what_their_codes_stand_for(tmp_path: Path) -> None:
    tiny = write_checkpoint(tmp_path / "c", "hf", "llama", "clip")
    checkpoint = quantize(open_checkpoint(tiny.path), recipe("q4"))
    packed: Any = checkpoint.tensors["decoder.layers.0.mlp.up.weight"]
    layer = BlockModel(checkpoint).layer(0)
    np.testing.assert_array_equal(
        layer.weights["decoder.layers.0.mlp.up.weight"], packed.packed_rows(0, packed.shape[0]).dequantize()
    )


def test_only_the_rows_that_are_asked_for_are_read(tmp_path: Path) -> None:
    tiny = write_checkpoint(tmp_path / "c", "hf", "llama", "clip")
    model = BlockModel(open_checkpoint(tiny.path))
    table = tiny.model.model.language_model.embed_tokens.weight.detach().numpy()
    np.testing.assert_array_equal(model.embed([5, 9, 5]), table[[5, 9, 5]])
    assert model.embed([]).shape == (0, 288)
