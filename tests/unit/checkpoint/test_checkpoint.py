"""What a tensor's name says of it."""

from __future__ import annotations

import pytest

from edgekit.checkpoint.checkpoint import component, is_matrix, layer_of


@pytest.mark.parametrize(
    ("name", "part", "layer", "matrix"),
    [
        ("vision.patch.weight", "vision", None, False),
        ("vision.position.weight", "vision", None, False),
        ("vision.layers.11.attn.q.weight", "vision", 11, True),
        ("vision.layers.0.attn.q.bias", "vision", 0, False),
        ("projector.1.weight", "projector", None, True),
        ("decoder.embedding.weight", "embedding", None, True),
        ("decoder.lm_head.weight", "lm_head", None, True),
        ("decoder.lm_head.bias", "lm_head", None, False),
        ("decoder.layers.31.mlp.down.weight", "decoder", 31, True),
        ("decoder.layers.2.attn.k_scale", "decoder", 2, False),
        ("decoder.layers.3.norm1.weight", "decoder", 3, False),
        ("decoder.norm.weight", "decoder", None, False),
    ],
)
def test_a_name_says_part_layer_and_whether_it_may_be_quantized(
    name: str, part: str, layer: int | None, matrix: bool
) -> None:
    assert (component(name), layer_of(name), is_matrix(name)) == (part, layer, matrix)
