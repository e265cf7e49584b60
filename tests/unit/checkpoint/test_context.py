"""How far a checkpoint's decoder sees: windows and rotary rules whose first part EdgeKit computes as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit.checkpoint.open import open_checkpoint
from edgekit.errors import CheckpointError
from tests.checkpoints import DecoderKind, Layout, Tiny, write_checkpoint


def written(path: Path, decoder: DecoderKind = "mistral", layout: Layout = "hf-5", **text: Any) -> Tiny:
    """A checkpoint whose language model's config is changed; ... removes a key."""
    tiny = write_checkpoint(path, layout, decoder)
    config = json.loads((path / "config.json").read_text())
    table = config if layout == "llava" else config["text_config"]
    table |= text
    for key in [key for key, value in text.items() if value is ...]:
        del table[key]
    (path / "config.json").write_text(json.dumps(config))
    return tiny


def logits(path: Path, length: int) -> Any:
    """transformers' own at every position of ``length`` random embeddings, from the folder as it is."""
    import torch
    import transformers

    model = transformers.LlavaForConditionalGeneration.from_pretrained(
        path, dtype="float32", attn_implementation="eager"
    )
    embeds = torch.randn((1, length, 288), generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        return model.lm_head(model.model.language_model(inputs_embeds=embeds).last_hidden_state).numpy()


def test_up_to_its_window_a_model_is_the_one_without(tmp_path: Path) -> None:
    """What the shorter context rests on, by transformers: equal at 24 tokens of a window of 24, no longer at 25."""
    written(tmp_path / "window", sliding_window=24)
    written(tmp_path / "whole")
    np.testing.assert_array_equal(logits(tmp_path / "window", 24), logits(tmp_path / "whole", 24))
    longer = [logits(tmp_path / name, 25)[0, -1] for name in ("window", "whole")]
    assert np.abs(longer[0] - longer[1]).max() > 1e-3
    assert open_checkpoint(tmp_path / "window").spec.decoder.context == 24


OTHERS: list[tuple[Layout, dict[str, Any]]] = [
    *((layout, {}) for layout in ("hf", "hf-5", "llava", "factory")),
    ("hf-5", {"use_sliding_window": False, "max_window_layers": 1}),
    ("hf-5", {"layer_types": ["full_attention"] * 2}),
]


@pytest.mark.parametrize(("layout", "others"), OTHERS)
def test_a_window_shorter_than_the_context_is_the_context(
    tmp_path: Path, layout: Layout, others: dict[str, Any]
) -> None:
    """transformers' Mistral slides whatever those other keys say; a context of the window is right in any case."""
    written(tmp_path, layout=layout, sliding_window=128, **others)
    spec = open_checkpoint(tmp_path).spec
    assert spec.decoder.context == 128
    assert [note for note in spec.notes if "last 128 tokens only (sliding_window), in a context of 512" in note]


@pytest.mark.parametrize("window", [None, 512, 4096, ...])
def test_a_window_that_covers_the_context_is_none(tmp_path: Path, window: Any) -> None:
    written(tmp_path, sliding_window=window)
    spec = open_checkpoint(tmp_path).spec
    assert spec.decoder.context == 512
    assert not spec.notes


def test_a_missing_window_is_mistrals_own(tmp_path: Path) -> None:
    written(tmp_path, sliding_window=..., max_position_embeddings=8192)
    assert open_checkpoint(tmp_path).spec.decoder.context == 4096


@pytest.mark.parametrize("decoder", ["llama", "phi"])
def test_a_window_that_the_models_code_does_not_know_is_none(tmp_path: Path, decoder: DecoderKind) -> None:
    written(tmp_path, decoder, sliding_window=128)
    spec = open_checkpoint(tmp_path).spec
    assert (spec.decoder.context, spec.notes) == (512, ())


@pytest.mark.parametrize("window", [0, -1, "long", 2.5])
def test_a_window_that_is_none_at_all_is_an_error(tmp_path: Path, window: Any) -> None:
    written(tmp_path, sliding_window=window)
    with pytest.raises(CheckpointError, match="sliding_window"):
        open_checkpoint(tmp_path)


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


@pytest.mark.parametrize(
    ("decoder", "table"), [("llama", "rope_scaling"), ("mistral", "rope_parameters"), ("llama", None)]
)
def test_part_of_a_head_is_no_llamas(tmp_path: Path, decoder: DecoderKind, table: str | None) -> None:
    rope = {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5}
    written(tmp_path, decoder, **({table: rope} if table else {"partial_rotary_factor": 0.5}))
    with pytest.raises(CheckpointError, match=r"'partial_rotary_factor' .* should be 1"):
        open_checkpoint(tmp_path)


def test_a_rule_for_each_kind_of_layer_is_refused(tmp_path: Path) -> None:
    rope = {"rope_type": "default", "rope_theta": 1e4}
    written(tmp_path, "llama", rope_parameters={"full_attention": rope, "sliding_attention": rope})
    with pytest.raises(CheckpointError, match="differs from layer to layer"):
        open_checkpoint(tmp_path)
