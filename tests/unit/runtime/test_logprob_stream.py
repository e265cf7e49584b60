"""The texts of an answer's tokens join to the answer, however it was cut into tokens and by stop strings."""

from __future__ import annotations

from functools import cache
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders

from edgekit.engines.base import Logits
from edgekit.runtime.logprob_stream import LogprobStream
from edgekit.runtime.logprobs import TokenLogprob, log_softmax
from edgekit.runtime.text import TextStream
from tests.fake_engine import STOP, byte_tokenizer
from tests.tokenizer_folders import byte_level, llama_json

TEXTS = ["Is the lung clear?", " No.", "Lé", "肺炎", "👩🏽‍⚕️", "\n\n", " the heart", "12.5 cm", "\ufffd", "the"]
STOPS = ["the", "\n", "炎", "é", " ", "clear?", "\ufffd", "⚕"]


@cache
def _tokenizer(name: str) -> Tokenizer:
    if name == "sentencepiece":
        return Tokenizer.from_str(llama_json(True, ""))
    if name == "bytes":
        return byte_tokenizer()
    tokenizer = Tokenizer.from_str(byte_level(blank=False).to_str())
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _logits(tokenizer: Tokenizer, seed: int = 0) -> Logits:
    return np.random.default_rng(seed).normal(size=tokenizer.get_vocab_size() + 2).astype(np.float32)


def _ids(tokenizer: Tokenizer) -> st.SearchStrategy[list[int]]:
    """What a model may write: texts, some cut in the middle of a character, and any ids, special ones too."""
    written = st.sampled_from(TEXTS).map(lambda text: tokenizer.encode(text, add_special_tokens=False).ids)
    loose = st.lists(st.integers(0, tokenizer.get_vocab_size() + 1), max_size=3)
    return st.lists(written | written.map(lambda ids: ids[:-1]) | loose, max_size=5).map(lambda parts: [*chain(*parts)])


def _run(stream: TextStream, ids: list[int], logits: Logits) -> list[tuple[str, tuple[TokenLogprob, ...]]]:
    """What each step told, until a stop string came; and the end."""
    steps = []
    for token in ids:
        stream.weigh(token, logits)
        text = stream.push(token)
        steps.append((text, stream.take() if text else ()))
        if stream.stopped:
            break
    steps.append((stream.flush(), stream.take()))
    return steps


@settings(deadline=None, max_examples=400)
@given(st.data())
def test_the_texts_of_the_tokens_join_to_the_text_at_each_step(data: st.DataObject) -> None:
    tokenizer = _tokenizer(data.draw(st.sampled_from(["bytes", "byte-level", "sentencepiece"])))
    ids = data.draw(_ids(tokenizer))
    stops = tuple(data.draw(st.lists(st.sampled_from(STOPS), max_size=2)))
    logits = _logits(tokenizer)
    plain, stream = TextStream(tokenizer, stops), LogprobStream(tokenizer, stops, 1)
    expected, steps = _run(plain, ids, logits), _run(stream, ids, logits)
    text = "".join(text for text, _ in expected)
    assert (len(steps), stream.stopped) == (len(expected), plain.stopped)
    assert "".join(text for text, _ in steps) == text
    for part, tokens in steps[:-1]:
        assert "".join(token.text for token in tokens) == part
    told = [token for _, tokens in steps for token in tokens]
    assert tuple(told) == stream.logprobs
    assert "".join(token.text for token in told) == text
    assert [token.logprob for token in told] == list(log_softmax(logits)[ids[: len(steps) - 1]])
    if "\ufffd" not in text:
        assert b"".join(token.bytes for token in told) == text.encode()


def _id(tokenizer: Tokenizer, name: str) -> int:
    token = tokenizer.token_to_id(name)
    assert token is not None
    return token


def _tokens(tokenizer: Tokenizer, ids: list[int], *stops: str) -> list[tuple[str, bytes]]:
    steps = _run(LogprobStream(tokenizer, stops, 0), ids, _logits(tokenizer))
    return [(token.text, token.bytes) for _, tokens in steps for token in tokens]


def test_a_character_is_its_last_tokens_and_each_has_its_bytes() -> None:
    assert _tokens(byte_tokenizer(), [*"né".encode(), STOP]) == [("n", b"n"), ("", b"\xc3"), ("é", b"\xa9"), ("", b"")]


def test_a_run_of_byte_tokens_is_shared_out() -> None:
    tokenizer = _tokenizer("sentencepiece")
    names = ["▁the", "<0x0A>", "<0xC3>", "<0xA9>", "<0x0A>", "▁heart"]
    ids = [_id(tokenizer, name) for name in names]
    texts = [text for text, _ in _tokens(tokenizer, ids)]
    assert texts == ["the", "\n", "", "é", "\n", " heart"]
    assert _tokens(tokenizer, ids[:1]) == [("the", b"the")]


def test_what_never_became_a_character_is_its_tokens_and_no_special_ones() -> None:
    tokenizer = _tokenizer("sentencepiece")
    assert _tokens(tokenizer, [_id(tokenizer, "<0xC3>"), 2]) == [("\ufffd", b"\xc3"), ("", b"")]


def test_a_stop_string_cuts_the_token_in_which_it_begins() -> None:
    tokenizer = _tokenizer("sentencepiece")
    ids = tokenizer.encode("the lung", add_special_tokens=False).ids
    tokens = _tokens(tokenizer, ids, "ung")
    assert "".join(text for text, _ in tokens) == "the l"
    assert b"".join(own for _, own in tokens) == b"the l"
    assert _tokens(byte_tokenizer(), [*"aé!".encode()], "é") == [("a", b"a"), ("", b""), ("", b"")]


def test_what_a_stop_string_may_begin_in_waits_whole() -> None:
    tokenizer = byte_tokenizer()
    tokenizer.add_tokens(["ab#"])
    stream, logits = LogprobStream(tokenizer, ("##",), 0), _logits(tokenizer)
    told = []
    for token in (_id(tokenizer, "ab#"), ord("c")):
        stream.weigh(token, logits)
        told.append(stream.push(token))
    assert told == ["", "ab#c"]


@pytest.mark.parametrize("begun", [False, True])
def test_alternatives_read_as_they_would_in_that_place(begun: bool) -> None:
    """Yes and no, at an answer's start, have no space in front, whichever of the two came."""
    tokenizer = _tokenizer("sentencepiece")
    the, lung, byte = (_id(tokenizer, name) for name in ("▁the", "▁lung", "<0xC3>"))
    stream, logits = LogprobStream(tokenizer, (), 4), np.zeros(tokenizer.get_vocab_size(), dtype=np.float32)
    logits[[the, lung, byte, 2]] = 4, 3, 2, 1
    for _ in range(1 + begun):
        stream.weigh(the, logits)
        stream.push(the)
    stream.flush()
    last = stream.logprobs[-1]
    space = " " if begun else ""
    assert [other.text for other in last.top] == [f"{space}the", f"{space}lung", "\ufffd", "</s>"]
    assert [other.bytes for other in last.top] == [f"{space}the".encode(), f"{space}lung".encode(), b"\xc3", b"</s>"]
    assert (last.text, last.logprob) == (last.top[0].text, last.top[0].logprob)
    assert [other.logprob for other in last.top] == list(log_softmax(logits)[[the, lung, byte, 2]])
