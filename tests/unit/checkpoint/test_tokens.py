"""What starts and ends a text, and tokenizers that write what their model does not know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.source import Source
from edgekit.checkpoint.spec import TemplateSpec
from edgekit.checkpoint.template import VICUNA
from edgekit.checkpoint.tokens import special_ids
from edgekit.errors import CheckpointError

LLAMA3 = TemplateSpec(
    name="llama 3",
    system="",
    user="{}<|eot_id|>",
    opening="<|start_header_id|>",
    reply="{}<|eot_id|>",
    stop=("<|eot_id|>",),
)
PLAIN = TemplateSpec(name="plain", system="", user="USER: {} ", opening="ASSISTANT:", reply=" {} ")


def tokenizer(*added: str) -> Tokenizer:
    """256 bytes, then the ``added`` tokens from id 256 on."""
    letters = {letter: index for index, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    bpe = Tokenizer(models.BPE(vocab=letters, merges=[]))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in added])
    return bpe


def source(folder: Path, config: dict[str, Any] | None = None, **files: Any) -> Source:
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return Source(folder, Fields(config or {}, "config.json"), {})


def test_an_image_token_may_lie_beyond_the_vocabulary(tmp_path: Path) -> None:
    assert special_ids(source(tmp_path), tokenizer("</s>", "<image>"), VICUNA, 257) == (None, (256,))


@pytest.mark.parametrize(
    ("added", "vocab", "why"),
    [
        (("</s>", "<image>"), 255, "ordinary words"),
        (("<image>", "</s>"), 257, "the template"),
        (("</s>", "  "), 257, "blanks, which questions hold"),
    ],
)
def test_tokens_that_the_model_does_not_know_are_refused(
    tmp_path: Path, added: tuple[str, ...], vocab: int, why: str
) -> None:
    with pytest.raises(CheckpointError, match=f"model's vocabulary is {vocab}") as error:
        special_ids(source(tmp_path), tokenizer(*added), VICUNA, vocab)
    assert error.value.hint, why


ENDS = ("<|end|>", "</s>")


@pytest.mark.parametrize(
    ("config", "files", "expected"),
    [
        ({"eos_token_id": 9}, {"generation_config": {"eos_token_id": [7, 8]}}, (7, 8)),
        ({"text_config": {"eos_token_id": 9}}, {"tokenizer_config": {"eos_token": "<|end|>"}}, (9,)),
        ({"eos_token_id": 999}, {"tokenizer_config": {"eos_token": "<|end|>"}}, (256,)),
        ({}, {"tokenizer_config": {"eos_token": {"content": "<|end|>"}}}, (256,)),
        ({}, {"tokenizer_config": {"eos_token": "unknown"}}, (257,)),
        ({}, {}, (257,)),
    ],
)
def test_what_ends_a_reply(
    tmp_path: Path, config: dict[str, Any], files: dict[str, Any], expected: tuple[int, ...]
) -> None:
    assert special_ids(source(tmp_path, config, **files), tokenizer(*ENDS), PLAIN, 258)[1] == expected


def test_a_templates_own_end_is_always_one(tmp_path: Path) -> None:
    bpe = tokenizer("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
    assert special_ids(source(tmp_path, {"eos_token_id": 9}), bpe, LLAMA3, 259)[1] == (9, 258)


def test_a_reply_that_nothing_ends_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="ends a reply") as error:
        special_ids(source(tmp_path), tokenizer(), VICUNA, 256)
    assert "eos_token_id" in error.value.hint
