"""A converted SentencePiece model gives the ids that SentencePiece gives."""

from __future__ import annotations

import json

import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from edgekit.checkpoint.sentencepiece import SPACE, parse, to_tokenizer_json
from edgekit.errors import EdgeKitError
from tests.unit.checkpoint.trained import train

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


@pytest.mark.parametrize("text", TEXTS)
def test_ids_are_those_of_sentencepiece(model: bytes, text: str) -> None:
    ours = Tokenizer.from_str(json.dumps(to_tokenizer_json(parse(model, "here"), legacy=True)))
    theirs = sentencepiece.SentencePieceProcessor(model_proto=model)
    assert ours.encode(text).ids == theirs.encode(text)
    if SPACE not in text:
        assert ours.decode(ours.encode(text).ids) == text


_MODEL = train()
_OURS = Tokenizer.from_str(json.dumps(to_tokenizer_json(parse(_MODEL, "here"), legacy=True)))


@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=SPACE), max_size=60))
def test_any_text_has_the_ids_of_sentencepiece(text: str) -> None:
    theirs = sentencepiece.SentencePieceProcessor(model_proto=_MODEL)
    assert _OURS.encode(text).ids == theirs.encode(text)


def test_blanks_are_squeezed_and_characters_normalized_as_the_model_says() -> None:
    model = train(remove_extra_whitespaces=True, normalization_rule_name="nmt_nfkc")
    ours = Tokenizer.from_str(json.dumps(to_tokenizer_json(parse(model, "here"), legacy=True)))
    theirs = sentencepiece.SentencePieceProcessor(model_proto=model)
    for text in ["  the   heart ", "ﬁne １２ ｌｕｎｇ", "the lung"]:
        assert ours.encode(text).ids == theirs.encode(text), text


@given(data=st.data())
def test_a_mutated_model_raises_nothing_but_our_own_error(data: st.DataObject) -> None:
    broken = bytearray(_MODEL)
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    try:
        parsed = parse(bytes(broken), "here")
    except EdgeKitError:
        return
    to_tokenizer_json(parsed, legacy=True)
