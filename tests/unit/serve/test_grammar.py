"""Answers that a grammar holds are what their schema asks for, whatever the logits: by json and by hand."""

from __future__ import annotations

import json
import sys
from functools import cache

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders

from edgekit.errors import EngineError, InputError, MissingExtra
from edgekit.runtime.sampling import Sampler, SamplingParams
from edgekit.runtime.text import TextStream
from edgekit.serve.grammar import SchemaCompiler, SchemaConstraint
from tests.fake_engine import STOP, byte_tokenizer
from tests.schemas import ASKED
from tests.tokenizer_folders import byte_level, llama_json

STOPS = {"bytes": (STOP, 7), "byte-level": (0,), "sentencepiece": (2,)}
PADDING = 40  # more logits than the tokenizer has tokens


@cache
def _tokenizer(name: str) -> Tokenizer:
    if name == "bytes":
        return byte_tokenizer()
    if name == "sentencepiece":
        return Tokenizer.from_str(llama_json(True, "<s> $A"))
    tokenizer = Tokenizer.from_str(byte_level(blank=False).to_str())
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


@cache
def _compiler(name: str) -> SchemaCompiler:
    tokenizer = _tokenizer(name)
    return SchemaCompiler(tokenizer, tokenizer.get_vocab_size() + PADDING, STOPS[name])


def _answer(name: str, constraint: SchemaConstraint, seed: int) -> str:
    """An answer of a model that likes nothing more than anything else."""
    random, stream = np.random.default_rng(seed), TextStream(_tokenizer(name), ())
    sampler = Sampler(SamplingParams(temperature=1.5, seed=seed, repetition_penalty=1.2), constraint=constraint)
    text = ""
    for _ in range(200):
        token = sampler(random.normal(size=_tokenizer(name).get_vocab_size() + PADDING).astype(np.float32))
        if token in STOPS[name]:
            break
        text += stream.push(token)
        if sampler.ended:
            break
    assert constraint.ended
    return text + stream.flush()


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("name", STOPS)
def test_an_answer_is_what_its_schema_asks_for(name: str, asked: str) -> None:
    grammar = _compiler(name).compile(json.dumps(ASKED[asked].schema))
    answers = [_answer(name, grammar.constraint(), seed) for seed in range(12)]
    assert all(ASKED[asked].holds(json.loads(answer)) for answer in answers), answers
    assert len(set(answers)) > 1
    assert not any(white in answer for answer in answers for white in " \n\r\t")


def test_each_answer_has_a_state_of_its_own() -> None:
    grammar = _compiler("bytes").compile(json.dumps(ASKED["yes or no"].schema))
    first, second = grammar.constraint(), grammar.constraint()
    for byte in b'"yes"':
        first.accept(byte)
    assert (first.ended, second.ended) == (True, False)
    allowed = second.allowed(np.zeros(300, dtype=np.float32))
    assert np.flatnonzero(np.isfinite(allowed)).tolist() == [ord('"')]


def test_stop_tokens_may_come_where_the_answer_is_whole_alone() -> None:
    constraint = _compiler("bytes").compile('{"type": "integer", "minimum": 0, "maximum": 99}').constraint()
    logits = np.zeros(300, dtype=np.float32)
    assert np.isneginf(constraint.allowed(logits)[[STOP, 7]]).all()
    constraint.accept(ord("1"))
    ids = np.flatnonzero(np.isfinite(constraint.allowed(logits))).tolist()
    assert ids == [7, *b"0123456789", STOP]
    assert not constraint.ended
    constraint.accept(7)
    assert constraint.ended


def test_a_token_that_was_not_allowed_is_an_error_and_so_is_what_follows() -> None:
    constraint = _compiler("bytes").compile(json.dumps(ASKED["yes or no"].schema)).constraint()
    for ask in (lambda: constraint.accept(ord("x")), lambda: constraint.allowed(np.zeros(300, dtype=np.float32))):
        with pytest.raises(EngineError) as caught:
            ask()
        assert "'x'" not in str(caught.value)


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ('{"type": "bogus"}', "bogus"),
        ('{"not": {}}', "Unimplemented"),
        ('{"enum": []}', "Unsatisfiable"),
        ('{"$ref": "http://elsewhere/schema"}', "http://elsewhere/schema"),
        ('{"type": "string", "pattern": "(?=a)"}', "look-around"),
        ("[]", "object"),
        ("{", "EOF"),
    ],
)
def test_a_schema_that_cannot_be_used_is_an_input_error_in_few_words(schema: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        _compiler("bytes").compile(schema)
    assert len(caught.value.message) <= 300
    assert "\n" not in caught.value.message


def test_without_llguidance_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llguidance", None)
    with pytest.raises(MissingExtra, match="serve"):
        SchemaCompiler(_tokenizer("bytes"), 300, [STOP])


def test_a_vocabulary_smaller_than_the_tokenizers_is_refused() -> None:
    with pytest.raises(EngineError, match="too small"):
        SchemaCompiler(_tokenizer("bytes"), 200, [STOP])
