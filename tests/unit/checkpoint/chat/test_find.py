"""The chat template that counts is the one that transformers takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from transformers import GPT2Tokenizer, LlavaProcessor, PreTrainedTokenizerFast

from edgekit.checkpoint.chat.find import find_program
from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.source import Source
from edgekit.checkpoint.specials import special_tokens
from edgekit.errors import CheckpointError
from tests.checkpoints import write_tokenizer
from tests.tokenizer_folders import byte_level

KEY = {"chat_template": "key"}


def source(folder: Path, files: Mapping[str, Any]) -> Source:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return Source(folder, Fields({}, "config.json"), {})


@pytest.mark.parametrize(
    "files",
    [
        {"chat_template.jinja": "jinja"},
        {"chat_template.json": {"chat_template": "json"}},
        {"processor_config.json": KEY},
        {"chat_template.json": {"chat_template": "json"}, "chat_template.jinja": "jinja"},
        {"chat_template.jinja": "jinja", "tokenizer_config.json": KEY},
        {"chat_template.jinja": "jinja", "additional_chat_templates/tool_use.jinja": "tools"},
        {"additional_chat_templates/default.jinja": "default", "additional_chat_templates/rag.jinja": "rag"},
        {"processor_config.json": KEY, "chat_template.jinja": "key"},
        {"processor_config.json": {"chat_template": None}, "chat_template.jinja": "jinja"},
    ],
)
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")  # theirs
def test_a_processors_template_is_the_one_that_transformers_takes(tmp_path: Path, files: Mapping[str, Any]) -> None:
    program = find_program(source(tmp_path, files))
    expected = LlavaProcessor.get_processor_dict(tmp_path)[0]["chat_template"]
    assert program is not None
    assert program.source == (expected["default"] if isinstance(expected, dict) else expected)


@pytest.mark.parametrize(
    ("value", "files"),
    [
        ("text", {}),
        ([{"name": "default", "template": "one"}, {"name": "tool_use", "template": "two"}], {}),
        ([{"name": "rag", "template": "two"}, {"name": "default", "template": "one"}], {}),
        ("text", {"additional_chat_templates/default.jinja": "default", "additional_chat_templates/rag.jinja": "rag"}),
    ],
)
def test_a_tokenizers_template_is_the_one_that_transformers_takes(
    tmp_path: Path, value: Any, files: Mapping[str, Any]
) -> None:
    write_tokenizer(tmp_path)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    program = find_program(source(tmp_path, {"tokenizer_config.json": {**config, "chat_template": value}, **files}))
    assert program is not None
    assert program.source == PreTrainedTokenizerFast.from_pretrained(tmp_path).get_chat_template()


def test_special_tokens_are_those_of_transformers(tmp_path: Path) -> None:
    write_tokenizer(tmp_path)
    extra = {
        "extra_special_tokens": {"image_token": "<image>"},
        "eos_token": {"__type": "AddedToken", "content": "</s>"},
    }
    config = json.loads((tmp_path / "tokenizer_config.json").read_text()) | extra
    tokens = special_tokens(source(tmp_path, {"tokenizer_config.json": config}))
    assert tokens == PreTrainedTokenizerFast.from_pretrained(tmp_path).special_tokens_map


@pytest.mark.parametrize(
    ("name", "bos"), [("LlamaTokenizerFast", "<s>"), ("CodeGenTokenizer", "<|endoftext|>"), ("Other", None)]
)
def test_a_class_supposes_tokens_that_no_file_names(tmp_path: Path, name: str, bos: str | None) -> None:
    read = source(tmp_path, {"tokenizer_config.json": {"tokenizer_class": name, "eos_token": "<end>"}})
    assert special_tokens(read).get("bos_token") == bos
    assert special_tokens(read)["eos_token"] == "<end>"


@pytest.mark.parametrize("roles", [("bos_token",), ("bos_token", "unk_token")])
def test_a_token_that_is_null_is_none(tmp_path: Path, roles: tuple[str, ...]) -> None:
    byte_level(False).save(str(tmp_path / "tokenizer.json"))
    config = {"tokenizer_class": "GPT2Tokenizer", **dict.fromkeys(roles)}
    tokens = special_tokens(source(tmp_path, {"tokenizer_config.json": config}))
    assert tokens == GPT2Tokenizer.from_pretrained(tmp_path).special_tokens_map
    assert not tokens.keys() & set(roles)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"processor_config.json": KEY, "chat_template.jinja": "other"}, "unlike chat templates"),
        ({"processor_config.json": KEY, "chat_template.json": {"chat_template": "other"}}, "unlike chat templates"),
        ({"tokenizer_config.json": {"chat_template": [{"name": "rag", "template": "x"}]}}, "default: rag"),
        (
            {"additional_chat_templates/rag.jinja": "x", "additional_chat_templates/tool_use.jinja": "y"},
            "default: rag, tool_use",
        ),
        (
            {"tokenizer_config.json": {"chat_template": [{"name": ["default"], "template": "x"}]}},
            "default: \\['default'\\]",
        ),
        ({"tokenizer_config.json": {"chat_template": [{"name": {}, "template": "x"}]}}, "default: {}"),
        ({"tokenizer_config.json": {"chat_template": []}}, "none at all"),
        ({"tokenizer_config.json": {"chat_template": 3}}, "should be a text"),
        ({"chat_template.json": {"chat_template": True}}, "should be a text"),
    ],
)
def test_templates_of_which_none_counts_are_refused(tmp_path: Path, files: Mapping[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message) as error:
        find_program(source(tmp_path, files))
    assert error.value.hint


@pytest.mark.parametrize("files", [{}, {"chat_template.jinja": " \n"}, {"tokenizer_config.json": {"bos_token": "<s>"}}])
def test_no_template_is_none(tmp_path: Path, files: Mapping[str, Any]) -> None:
    assert find_program(source(tmp_path, files)) is None
