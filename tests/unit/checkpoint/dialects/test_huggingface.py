"""Hugging Face's LLaVA where config.json says less than all, against what transformers takes for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.numpy import load_file, save_file

from edgekit.checkpoint.dialects.huggingface import _DEFAULT_TOWER
from edgekit.checkpoint.open import open_checkpoint
from edgekit.errors import CheckpointError
from tests.checkpoints import write_checkpoint


def changed(folder: Path, **config: Any) -> Path:
    """A checkpoint with other keys in config.json; None takes one away."""
    path = write_checkpoint(folder / "c", "hf").path
    written = json.loads((path / "config.json").read_text()) | config
    (path / "config.json").write_text(json.dumps({key: value for key, value in written.items() if value is not None}))
    return path


def test_a_tower_that_is_not_described_is_the_class_s_own() -> None:
    theirs = transformers.LlavaConfig().vision_config
    assert {key: getattr(theirs, key) for key in _DEFAULT_TOWER} == _DEFAULT_TOWER


def test_what_is_not_said_is_the_class_s_default(tmp_path: Path) -> None:
    keys = (
        "vision_feature_layer",
        "vision_feature_select_strategy",
        "projector_hidden_act",
        "multimodal_projector_bias",
    )
    path = changed(tmp_path, **dict.fromkeys(keys))
    spec, theirs = open_checkpoint(path).spec, transformers.LlavaForConditionalGeneration.from_pretrained(path)
    with torch.no_grad():
        features = theirs.model.get_image_features(torch.zeros(1, 3, 28, 28), return_dict=True).pooler_output
    assert spec.tokens_per_image == len(features[0])
    assert spec.vision.layers == len(theirs.model.vision_tower.encoder.layers) + 1 + theirs.config.vision_feature_layer
    assert (spec.projector.activation, spec.projector.bias) == ("gelu", True)
    assert (theirs.config.projector_hidden_act, theirs.config.multimodal_projector_bias) == ("gelu", True)


def test_another_strategy_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="vision_feature_select_strategy") as caught:
        open_checkpoint(changed(tmp_path, vision_feature_select_strategy="patch"))
    assert '"default" or "full"' in caught.value.message + caught.value.hint


def test_a_projector_without_biases_is_one_whose_config_says_so(tmp_path: Path) -> None:
    path = changed(tmp_path, multimodal_projector_bias=False, projector_hidden_act="silu")
    file = path / "model.safetensors"
    bare = {name: value for name, value in load_file(file).items() if not ("projector" in name and "bias" in name)}
    save_file(bare, file, {"format": "pt"})
    checkpoint = open_checkpoint(path)
    assert (checkpoint.spec.projector.bias, checkpoint.spec.projector.activation) == (False, "silu")
    assert not [name for name in checkpoint.tensors if name.startswith("projector.") and name.endswith(".bias")]
    theirs = transformers.LlavaForConditionalGeneration.from_pretrained(path).model.multi_modal_projector
    assert theirs.linear_1.bias is None
    (path / "config.json").write_text((path / "config.json").read_text().replace("false", "true"))
    with pytest.raises(CheckpointError, match=r"lacks 2 of \d+ tensors"):
        open_checkpoint(path)
