"""A token's bytes, against what SentencePiece and the byte-level alphabet of the tokenizers library say."""

from __future__ import annotations

import sentencepiece
from tokenizers import Tokenizer, decoders

from edgekit.runtime.token_bytes import TokenBytes
from tests.fake_engine import STOP, byte_tokenizer
from tests.tokenizer_folders import CORPUS, byte_level, llama_json, sentencepiece_model

TEXT = CORPUS[1] + " naïve 肺炎 👩🏽‍⚕️\n\t  0.5 µm"


def test_the_bytes_of_a_texts_tokens_are_the_texts() -> None:
    merged = Tokenizer.from_str(byte_level(blank=False).to_str())
    merged.decoder = decoders.ByteLevel()
    for tokenizer in (byte_tokenizer(), merged):
        own = TokenBytes(tokenizer)
        assert b"".join(map(own, tokenizer.encode(TEXT).ids)) == TEXT.encode()


def test_sentencepiece_spells_its_tokens_so() -> None:
    """Its own decoder gives each piece's text behind another one, whose end no space can be taken from."""
    tokenizer, oracle = Tokenizer.from_str(llama_json(True, "")), sentencepiece.SentencePieceProcessor()
    oracle.LoadFromSerializedProto(sentencepiece_model())
    own = TokenBytes(tokenizer)
    checked = 0
    for token in range(3, oracle.vocab_size()):
        if oracle.is_byte(token):
            assert own(token) == bytes([int(oracle.id_to_piece(token)[3:5], 16)])
        else:
            before = oracle.piece_to_id("▁the")
            assert own(token).decode() == oracle.decode([before, token])[len("the") :]
            checked += 1
    assert checked > 50


def test_each_byte_has_its_own_token_at_byte_level() -> None:
    own = TokenBytes(byte_tokenizer())
    assert [own(byte) for byte in range(256)] == [bytes([byte]) for byte in range(256)]


def test_special_tokens_have_names_and_padding_has_nothing() -> None:
    own = TokenBytes(byte_tokenizer())
    assert (own(STOP), own.special(STOP), own(STOP + 9), own.special(STOP + 9)) == (b"</s>", True, b"", False)


def test_a_byte_level_decoder_is_seen_among_others() -> None:
    tokenizer = Tokenizer.from_str(byte_tokenizer().to_str())
    tokenizer.decoder = decoders.Sequence([decoders.ByteLevel(), decoders.Fuse()])
    assert TokenBytes(tokenizer)(0xC3) == b"\xc3"


def test_an_added_token_that_is_not_spelled_in_bytes_stands_as_it_is() -> None:
    tokenizer = Tokenizer.from_str(byte_tokenizer().to_str())
    added = tokenizer.get_vocab_size()
    tokenizer.add_tokens(["   "])
    assert TokenBytes(tokenizer)(added) == b"   "
