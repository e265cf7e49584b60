"""CLIP's config where it says nothing: transformers' own defaults."""

from __future__ import annotations

import pytest
from transformers import CLIPVisionConfig

from edgekit.checkpoint.architectures import clip
from edgekit.checkpoint.documents import Fields
from edgekit.errors import CheckpointError


def test_an_empty_config_is_transformers_default() -> None:
    theirs, spec = CLIPVisionConfig(), clip.read(Fields({}, "config.json"), -2, True)
    assert (spec.kind, spec.hidden, spec.heads, spec.ff) == (
        "clip",
        theirs.hidden_size,
        theirs.num_attention_heads,
        theirs.intermediate_size,
    )
    assert (spec.image_size, spec.patch, spec.norm_eps) == (theirs.image_size, theirs.patch_size, theirs.layer_norm_eps)
    assert (spec.layers, spec.activation, spec.drop_cls) == (theirs.num_hidden_layers - 1, theirs.hidden_act, True)


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(CheckpointError, match="num_attention_heads"):
        clip.read(Fields({"hidden_size": 100, "num_attention_heads": 3}, "config.json"), -1, False)
