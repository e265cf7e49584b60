"""SigLIP's config where it says nothing: transformers' own defaults."""

from __future__ import annotations

from transformers import SiglipVisionConfig

from edgekit.checkpoint.architectures import siglip
from edgekit.checkpoint.documents import Fields


def test_an_empty_config_is_transformers_default() -> None:
    theirs, spec = SiglipVisionConfig(), siglip.read(Fields({}, "config.json"), -1, False)
    assert (spec.kind, spec.hidden, spec.heads, spec.ff) == (
        "siglip",
        theirs.hidden_size,
        theirs.num_attention_heads,
        theirs.intermediate_size,
    )
    assert (spec.image_size, spec.patch, spec.norm_eps) == (theirs.image_size, theirs.patch_size, theirs.layer_norm_eps)
    assert (spec.layers, theirs.hidden_act) == (theirs.num_hidden_layers, "gelu_pytorch_tanh")
    assert (spec.activation, spec.has_cls) == ("gelu_tanh", False)


def test_no_name_is_of_a_class_token() -> None:
    assert not {"cls", "pre_norm"} & siglip.NAMES.keys()
