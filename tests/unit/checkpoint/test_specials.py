"""The names of special tokens: those of the files before what a class supposes, null being none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.source import Source
from edgekit.checkpoint.specials import special_tokens, tokenizer_class


def source(folder: Path, **files: Any) -> Source:
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return Source(folder, Fields({}, "config.json"), {})


def test_a_class_that_is_not_named_is_llama_s_where_its_files_are(tmp_path: Path) -> None:
    assert tokenizer_class(source(tmp_path)) == "GPT2Tokenizer"
    (tmp_path / "tokenizer.model").write_bytes(b"")
    assert tokenizer_class(source(tmp_path)) == "LlamaTokenizer"
    assert tokenizer_class(source(tmp_path, tokenizer_config={"tokenizer_class": "Other"})) == "Other"
    assert tokenizer_class(source(tmp_path, tokenizer_config={"tokenizer_class": 3})) == "LlamaTokenizer"


@pytest.mark.parametrize(
    ("name", "end"),
    [("LlamaTokenizerFast", "</s>"), ("GPT2Tokenizer", "<|endoftext|>"), ("CodeGenTokenizer", "<|endoftext|>")],
)
def test_a_class_supposes_its_own(tmp_path: Path, name: str, end: str) -> None:
    assert special_tokens(source(tmp_path, tokenizer_config={"tokenizer_class": name}))["eos_token"] == end


def test_files_say_more_than_the_class_and_the_config_more_than_the_map(tmp_path: Path) -> None:
    tokens = special_tokens(
        source(
            tmp_path,
            special_tokens_map={"eos_token": {"content": "<map>"}, "pad_token": "<pad>", "sep": "no role"},
            tokenizer_config={
                "tokenizer_class": "LlamaTokenizer",
                "eos_token": {"content": "<end>", "lstrip": False},
                "bos_token": None,
                "extra_special_tokens": {"image_token": "<image>", "more": 3},
            },
        )
    )
    assert tokens == {"eos_token": "<end>", "pad_token": "<pad>", "unk_token": "<unk>", "image_token": "<image>"}
