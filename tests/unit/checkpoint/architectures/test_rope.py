"""Rotary rules whose first part EdgeKit computes as it is, and those that it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit.checkpoint.open import open_checkpoint
from edgekit.errors import CheckpointError
from tests.checkpoints import DecoderKind
from tests.unit.checkpoint.architectures.case import written


def frequencies(path: Path, length: int) -> Any:
    """transformers' rotary frequencies for the folder, after ``length`` tokens."""
    import torch
    import transformers

    model = transformers.LlavaForConditionalGeneration.from_pretrained(path, dtype="float32")
    rotary = model.model.language_model.rotary_emb
    with torch.no_grad():
        rotary(torch.zeros(1), torch.arange(length)[None])
    return rotary.inv_freq.numpy()


@pytest.mark.parametrize("decoder", ["llama", "mistral", "phi"])
def test_a_dynamic_rule_is_none_within_the_context(tmp_path: Path, decoder: DecoderKind) -> None:
    scaling = {"rope_type": "dynamic", "factor": 4.0, "rope_theta": 2e4}
    written(tmp_path, decoder, rope_parameters=scaling | ({"partial_rotary_factor": 0.5} if decoder == "phi" else {}))
    spec = open_checkpoint(tmp_path).spec
    rope = spec.decoder.rope
    angles = rope.theta ** -(np.arange(0, rope.dim, 2) / rope.dim)
    np.testing.assert_allclose(angles, frequencies(tmp_path, 512), rtol=1e-6)
    assert not np.allclose(angles, frequencies(tmp_path, 513), rtol=1e-6)
    assert (spec.decoder.context, rope.scaling) == (512, "none")
    assert any("rescaled beyond 512 tokens" in note for note in spec.notes)


@pytest.mark.parametrize("decoder", ["llama", "phi"])
def test_both_spellings_at_once_are_read_as_transformers_reads_them(tmp_path: Path, decoder: DecoderKind) -> None:
    written(
        tmp_path,
        decoder,
        rope_parameters={"rope_type": "default", "rope_theta": 5e4},
        rope_scaling={"type": "linear", "factor": 2.0},
        rope_theta=3e4,
    )
    rope = open_checkpoint(tmp_path).spec.decoder.rope
    angles = rope.theta ** -(np.arange(0, rope.dim, 2) / rope.dim) / rope.factor
    np.testing.assert_allclose(angles, frequencies(tmp_path, 8), rtol=1e-6)


def test_a_rule_for_each_kind_of_layer_is_refused(tmp_path: Path) -> None:
    rope = {"rope_type": "default", "rope_theta": 1e4}
    written(tmp_path, "llama", rope_parameters={"full_attention": rope, "sliding_attention": rope})
    with pytest.raises(CheckpointError, match="differs from layer to layer"):
        open_checkpoint(tmp_path)
