"""How far a checkpoint's decoder sees: windows, and what these models' code does not know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit.checkpoint.open import open_checkpoint
from edgekit.errors import CheckpointError
from tests.checkpoints import DecoderKind, Layout
from tests.unit.checkpoint.architectures.case import written


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


@pytest.mark.parametrize(
    ("decoder", "table"), [("llama", "rope_scaling"), ("mistral", "rope_parameters"), ("llama", None)]
)
def test_part_of_a_head_is_no_llamas(tmp_path: Path, decoder: DecoderKind, table: str | None) -> None:
    rope = {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5}
    written(tmp_path, decoder, **({table: rope} if table else {"partial_rotary_factor": 0.5}))
    with pytest.raises(CheckpointError, match=r"'partial_rotary_factor' .* should be 1"):
        open_checkpoint(tmp_path)
