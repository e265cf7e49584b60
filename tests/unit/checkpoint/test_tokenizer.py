"""A tokenizer, from whatever files, gives the ids that SentencePiece and transformers give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from tokenizers import Tokenizer

from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.sentencepiece import parse
from edgekit.checkpoint.source import Source
from edgekit.checkpoint.tokenizer import parse_tokenizer, tokenizer_json
from edgekit.errors import CheckpointError
from tests.unit.checkpoint.trained import CORPUS, train

TEXTS = [
    "Is the heart enlarged?",
    "  two  leading blanks, and trailing  ",
    "ümlauts, 中文, emoji 🫁 and\nnew\tlines",
    "aaaaaaaaaaa",
    "",
    "x" * 50,
    "▁ underscore ▁▁",
]


@pytest.fixture(scope="module")
def model() -> bytes:
    return train()


def source_with(folder: Path, **files: bytes | dict[str, Any] | str) -> Source:
    for name, content in files.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(content if isinstance(content, bytes) else _text(content).encode())
    return Source(folder, Fields({}, "config.json"), {})


def _text(content: dict[str, Any] | str) -> str:
    return content if isinstance(content, str) else json.dumps(content)


def test_special_tokens_stand_alone_and_the_start_token_comes_first(model: bytes, tmp_path: Path) -> None:
    tokenizer = Tokenizer.from_str(tokenizer_json(source_with(tmp_path, tokenizer__model=model)))
    ids = tokenizer.encode("the heart</s>the lung").ids
    theirs = sentencepiece.SentencePieceProcessor(model_proto=model)
    assert ids == [1, *theirs.encode("the heart"), 2, *theirs.encode("the lung")]
    assert tokenizer.decode(ids) == "the heart the lung"


def test_added_tokens_go_on_behind_the_vocabulary(model: bytes, tmp_path: Path) -> None:
    size = len(parse(model, "here").pieces)
    described = {str(size + 1): {"content": "<im_end>", "special": True}}
    config = {"add_bos_token": False, "added_tokens_decoder": described}
    source = source_with(
        tmp_path, tokenizer__model=model, added_tokens__json={"<im_start>": size}, tokenizer_config__json=config
    )
    tokenizer = Tokenizer.from_str(tokenizer_json(source))
    theirs = sentencepiece.SentencePieceProcessor(model_proto=model)
    assert tokenizer.encode("<im_start>the<im_end>").ids == [size, *theirs.encode("the"), size + 1]
    assert tokenizer.decode([size + 1, size]) == "<im_start>", "only the token marked special is skipped"


def test_an_added_token_with_a_gap_before_its_id_is_refused(model: bytes, tmp_path: Path) -> None:
    source = source_with(tmp_path, tokenizer__model=model, added_tokens__json={"<pad>": 5000})
    with pytest.raises(CheckpointError, match="5000, expected"):
        tokenizer_json(source)


def test_ids_are_those_of_transformers(model: bytes, tmp_path: Path) -> None:
    from transformers import LlamaTokenizer

    config = {"tokenizer_class": "LlamaTokenizer", "legacy": False, "add_bos_token": True, "bos_token": "<s>"}
    source = source_with(tmp_path, tokenizer__model=model, tokenizer_config__json=config)
    ours = Tokenizer.from_str(tokenizer_json(source))
    theirs = LlamaTokenizer.from_pretrained(tmp_path)
    for text in TEXTS:
        assert ours.encode(text).ids == theirs(text).input_ids, text


def test_gpt2_files_give_the_ids_of_transformers(tmp_path: Path) -> None:
    from tokenizers import models, pre_tokenizers, trainers
    from transformers import GPT2Tokenizer

    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=330, initial_alphabet=alphabet, special_tokens=["<|endoftext|>"], show_progress=False
    )
    trained.train_from_iterator(CORPUS, trainer)
    trained.model.save(str(tmp_path))
    theirs = GPT2Tokenizer(str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt"))
    source = source_with(tmp_path, special_tokens_map__json={"eos_token": "<|endoftext|>"})
    ours = Tokenizer.from_str(tokenizer_json(source))
    for text in [*TEXTS, "the heart<|endoftext|>the lung"]:
        assert ours.encode(text).ids == theirs(text).input_ids, text


def test_a_tokenizer_json_is_taken_as_it_is(tmp_path: Path) -> None:
    from tests.checkpoints import write_tokenizer

    write_tokenizer(tmp_path)
    text = (tmp_path / "tokenizer.json").read_text()
    assert tokenizer_json(source_with(tmp_path)) == text


def test_a_llama_tokenizer_json_without_its_start_token_gets_it(tmp_path: Path) -> None:
    from tests.checkpoints import BOS, write_tokenizer

    write_tokenizer(tmp_path)
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "post_processor": None}))
    assert Tokenizer.from_str(tokenizer_json(source_with(tmp_path))).encode("a").ids[0] == BOS
    off = {"add_bos_token": False, "bos_token": "<s>", "tokenizer_class": "LlamaTokenizer"}
    source = source_with(tmp_path, tokenizer_config__json=off)
    assert Tokenizer.from_str(tokenizer_json(source)).encode("a").ids[0] != BOS


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "has no tokenizer"),
        ({"tokenizer__json": "{"}, "not valid JSON"),
        ({"tokenizer__json": {"model": {"type": "BPE"}}}, "is broken"),
        ({"tokenizer__model": b"\xff\xff\xff"}, "not a SentencePiece model"),
        ({"tokenizer__model": b""}, "another kind than BPE"),
        ({"vocab__json": {"a": 0}, "merges__txt": "a b\n"}, "is broken"),
        ({"vocab__json": {"a": "x"}, "merges__txt": ""}, "is broken"),
    ],
)
def test_a_broken_tokenizer_is_one_clear_error(tmp_path: Path, files: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message) as error:
        tokenizer_json(source_with(tmp_path, **files))
    assert error.value.hint


_MISSING = {
    "type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
    "special_tokens": {},
}


@pytest.mark.parametrize(
    "part",
    [
        {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}},  # panics when it is read
        {"post_processor": _MISSING},  # panics when it encodes
        {"model": {"type": "BPE", "vocab": 3}},
    ],
)
def test_the_librarys_panics_are_our_errors(part: dict[str, Any]) -> None:
    text = json.dumps(
        {"version": "1.0", "added_tokens": [], "model": {"type": "BPE", "vocab": {}, "merges": []}} | part
    )
    with pytest.raises(CheckpointError, match="here is broken"):
        parse_tokenizer(text, "here")


def test_texts_are_not_cut_to_the_length_of_some_training() -> None:
    model = {"type": "BPE", "vocab": {"a": 0}, "merges": []}
    cut = {"direction": "Right", "max_length": 1, "strategy": "LongestFirst", "stride": 5}
    assert parse_tokenizer(json.dumps({"model": model, "truncation": cut}), "here").encode("aaa").ids == [0, 0, 0]
