from __future__ import annotations

from itertools import chain
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from edgekit.runtime.text import Detokenizer, StopStrings, TextStream
from tests.fake_engine import STOP, byte_tokenizer

TEXT = "Is there a fracture? No. 👩🏽‍⚕️ naïve café 肺炎 Лёгкие\n\n  two  spaces � and 0.5 mm"


def _byte_level() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([TEXT], trainer)
    tokenizer.add_special_tokens([AddedToken("</s>", special=True)])
    tokenizer.add_tokens(["   "])
    return tokenizer


def _sentencepiece(decoder: Any) -> Tokenizer:
    words = ["▁", "▁Is", "▁the", "re", "a", "▁▁", ".", "?", "é", "肺", "\ufffd", "n"]
    names = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *words]
    vocab = {name: index for index, name in enumerate(names)}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[], unk_token="<unk>", byte_fallback=True))
    tokenizer.decoder = decoder
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in ("<unk>", "<s>", "</s>")])
    return tokenizer


def _llama() -> Any:
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    return decoders.Sequence(steps)


TOKENIZERS = {
    "bytes": byte_tokenizer(),
    "byte-level": _byte_level(),
    "llama": _sentencepiece(_llama()),
    "metaspace": _sentencepiece(decoders.Metaspace()),
}


def _id(tokenizer: Tokenizer, name: str) -> int:
    token = tokenizer.token_to_id(name)
    assert token is not None
    return token


def _ids(tokenizer: Tokenizer) -> st.SearchStrategy[list[int]]:
    """Any ids, ids past the vocabulary too; and UTF-8, whole or cut, where the vocabulary spells it in bytes."""
    size = tokenizer.get_vocab_size()
    base = tokenizer.token_to_id("<0x00>") or 0
    some = st.lists(st.integers(0, size + 1), max_size=6)
    if size < 300:
        utf8 = st.text(alphabet="aé肺👩 \n", max_size=4).map(lambda text: [base + byte for byte in text.encode()])
        some = (
            some
            | utf8
            | utf8.map(lambda ids: ids[:-1])
            | st.lists(st.integers(max(0, size - 12), size - 1), max_size=6)
        )
    return st.lists(some, max_size=6).map(lambda parts: [*chain(*parts)])


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_the_pieces_add_up_to_the_whole(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(TOKENIZERS)))
    tokenizer = TOKENIZERS[name]
    ids = data.draw(_ids(tokenizer))
    stream = Detokenizer(tokenizer)
    pieces = [stream.push(token) for token in ids]
    assert "".join([*pieces, stream.flush()]) == tokenizer.decode(ids)


@pytest.mark.parametrize("name", ["bytes", "byte-level"])
def test_a_character_comes_when_its_last_byte_does(name: str) -> None:
    tokenizer = TOKENIZERS[name]
    ids = tokenizer.encode(TEXT).ids
    stream, shown = Detokenizer(tokenizer), ""
    for count, token in enumerate(ids, 1):
        shown += stream.push(token)
        whole = tokenizer.decode(ids[:count])
        assert shown == whole.rstrip("\ufffd") or shown == whole or TEXT[len(shown)] == "\ufffd"
    assert shown == TEXT


def test_words_come_at_once_and_runs_of_bytes_when_they_end() -> None:
    tokenizer = TOKENIZERS["llama"]
    names = ["▁Is", "▁the", "re", "<0xF0>", "<0x9F>", "<0xA9>", "<0xBA>", "▁", "?", "<0x0A>", "</s>", "a"]
    stream = Detokenizer(tokenizer)
    pieces = [stream.push(_id(tokenizer, name)) for name in names]
    assert pieces == ["Is", " the", "re", "", "", "", "", "🩺 ", "?", "", "", "\na"]


class _Counting:
    """A tokenizer that counts the ids that it decodes."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self.decoded = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)

    def decode(self, ids: list[int], skip_special_tokens: bool = True) -> str:
        self.decoded += len(ids)
        return self._tokenizer.decode(ids, skip_special_tokens=skip_special_tokens)


@pytest.mark.parametrize("name", sorted(TOKENIZERS))
def test_a_token_costs_the_same_however_long_the_text(name: str) -> None:
    tokenizer = _Counting(TOKENIZERS[name])
    ids = (TOKENIZERS[name].encode(TEXT.replace(" ", "▁") if name in ("llama", "metaspace") else TEXT).ids) * 30
    stream = Detokenizer(cast(Tokenizer, tokenizer))
    for token in ids:
        stream.push(token)
    assert tokenizer.decoded < 8 * len(ids)


def test_a_long_run_of_bytes_costs_no_more() -> None:
    tokenizer = _Counting(TOKENIZERS["llama"])
    newline, letter = (_id(TOKENIZERS["llama"], name) for name in ("<0x0A>", "a"))
    stream = Detokenizer(cast(Tokenizer, tokenizer))
    text = "".join(stream.push(token) for token in [*([newline] * 500), letter])
    assert text == "\n" * 500 + "a"
    assert tokenizer.decoded < 2000


def _before_stop(text: str, stops: list[str]) -> str:
    """The text up to the stop string that is complete first, looked for one character after another."""
    for end in range(1, len(text) + 1):
        starts = [end - len(stop) for stop in stops if text[:end].endswith(stop)]
        if starts:
            return text[: min(starts)]
    return text


@settings(max_examples=300)
@given(
    pieces=st.lists(st.text(alphabet="abc", max_size=4), max_size=8),
    stops=st.lists(st.text(alphabet="abc", min_size=1, max_size=4), max_size=3),
)
@example(pieces=["a", "b", "c"], stops=["abc", "b"])
@example(pieces=["aa", "ab"], stops=["aab"])
def test_text_ends_before_the_first_stop_string(pieces: list[str], stops: list[str]) -> None:
    text, gate = "".join(pieces), StopStrings(tuple(stops))
    expected = _before_stop(text, stops)
    shown = ""
    for piece in pieces:
        shown += gate.push(piece)
        assert expected.startswith(shown)
    assert shown + gate.flush() == expected
    assert gate.stopped == any(stop in text for stop in stops)


@given(st.text(alphabet="ab", max_size=12), st.text(alphabet="ab", min_size=1, max_size=4))
def test_no_more_is_held_back_than_may_become_a_stop_string(text: str, stop: str) -> None:
    gate = StopStrings((stop,))
    shown = gate.push(text)
    if not gate.stopped:
        held = text[len(shown) :]
        assert stop.startswith(held)
        assert not any(stop.startswith(text[start:]) for start in range(len(shown)))


def test_a_stop_string_may_span_tokens_and_split_characters() -> None:
    stream = TextStream(TOKENIZERS["bytes"], ("é</end>",))
    pieces = [(stream.push(token), stream.stopped) for token in "café</end>more".encode()]
    assert pieces == [("c", False), ("a", False), ("f", False), *[("", False)] * 7, *[("", True)] * 5]
    assert stream.flush() == ""


def test_what_was_held_back_comes_at_the_end() -> None:
    stream = TextStream(TOKENIZERS["bytes"], ("END",))
    ids = [*b"the EN", 0xC3, STOP]
    assert "".join(map(stream.push, ids)) == "the "
    assert stream.flush() == "EN\ufffd"
