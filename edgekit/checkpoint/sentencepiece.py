"""A SentencePiece ``tokenizer.model`` of Llama's kind (BPE, bytes for unknown characters), as tokenizer.json says it.

The file is a protocol buffer with few fields that matter, so its wire format is read here by hand
(https://protobuf.dev/programming-guides/encoding; the message is ``sentencepiece_model.proto``). What a
score says there, the order of the merges says in tokenizer.json: the pair whose union scores highest is
merged first.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edgekit.errors import CheckpointError

SPACE = "▁"  # How SentencePiece writes a blank.
_NORMAL, _UNKNOWN, _CONTROL, _USER_DEFINED = 1, 2, 3, 4
_BPE = 2
_HINT = "Fetch the file again, or save a tokenizer.json on another machine: AutoTokenizer(…).save_pretrained(DIR)."


@dataclass(frozen=True)
class Piece:
    """An entry of the vocabulary; its place in the list is its id."""

    text: str
    score: float
    kind: int


@dataclass(frozen=True)
class SentencePieceModel:
    """The parts of a model file that decide how text is cut. ``charsmap`` is a compiled normalization table."""

    pieces: tuple[Piece, ...]
    byte_fallback: bool
    charsmap: bytes
    dummy_prefix: bool
    squeeze_blanks: bool


def parse(message: bytes, origin: str) -> SentencePieceModel:
    """Read a model file; :class:`CheckpointError` when it is damaged or not of the BPE kind."""
    pieces: list[Piece] = []
    trainer: dict[int, Any] = {}
    normalizer: dict[int, Any] = {}
    try:
        for number, value in _fields(message):
            if number == 1:
                pieces.append(_piece(dict(_fields(value))))
            elif number == 2:
                trainer = dict(_fields(value))
            elif number == 3:
                normalizer = dict(_fields(value))
        model = SentencePieceModel(
            pieces=tuple(pieces),
            byte_fallback=bool(trainer.get(35, 0)),
            charsmap=_bytes(normalizer.get(2, b"")),
            dummy_prefix=bool(normalizer.get(3, 1)),
            squeeze_blanks=bool(normalizer.get(4, 1)),
        )
    except (ValueError, LookupError, TypeError, struct.error) as error:
        raise CheckpointError(f"{origin} is not a SentencePiece model: {error}", _HINT) from None
    if trainer.get(3, 1) != _BPE or not pieces:
        raise CheckpointError(f"{origin} is a SentencePiece model of another kind than BPE", _HINT)
    return model


def to_tokenizer_json(model: SentencePieceModel, legacy: bool) -> dict[str, Any]:
    """Return the tokenizer as an object of the tokenizers library's format, without a post-processor.

    ``legacy`` is the flag of a Llama tokenizer's config: a blank goes before every stretch of text
    between special tokens, rather than before the first only.
    """
    vocabulary = {piece.text: index for index, piece in enumerate(model.pieces)}
    normalizers = list(_normalizers(model, legacy))
    unknown = next((piece.text for piece in model.pieces if piece.kind == _UNKNOWN), None)
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            added_token(index, piece.text, special=piece.kind != _USER_DEFINED)
            for index, piece in enumerate(model.pieces)
            if piece.kind in (_UNKNOWN, _CONTROL, _USER_DEFINED)
        ],
        "normalizer": {"type": "Sequence", "normalizers": normalizers} if normalizers else None,
        "pre_tokenizer": None if legacy else _metaspace(model.dummy_prefix),
        "post_processor": None,
        "decoder": {"type": "Sequence", "decoders": list(_decoders(model))},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": unknown,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": True,
            "byte_fallback": model.byte_fallback,
            "ignore_merges": False,
            "vocab": vocabulary,
            "merges": _merges(model, vocabulary),
        },
    }


def added_token(index: int, text: str, *, special: bool, **flags: bool) -> dict[str, Any]:
    """Return an entry of tokenizer.json's added_tokens."""
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {"id": index, "content": text, **plain, **flags, "special": special}


def _merges(model: SentencePieceModel, vocabulary: Mapping[str, int]) -> list[list[str]]:
    """Every way to join two pieces to a third, best score first; longer left parts first among equals."""
    normal = {piece.text for piece in model.pieces if piece.kind == _NORMAL}
    merges = [
        (-piece.score, vocabulary[piece.text], -cut, piece.text[:cut], piece.text[cut:])
        for piece in model.pieces
        if piece.kind == _NORMAL
        for cut in range(1, len(piece.text))
        if piece.text[:cut] in normal and piece.text[cut:] in normal
    ]
    return [[left, right] for *_, left, right in sorted(merges)]


def _normalizers(model: SentencePieceModel, legacy: bool) -> Iterator[dict[str, Any]]:
    if model.charsmap:
        yield {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(model.charsmap).decode()}
    if model.squeeze_blanks:
        yield {"type": "Strip", "strip_left": True, "strip_right": True}
        yield {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}
    if legacy and model.dummy_prefix:
        yield {"type": "Prepend", "prepend": SPACE}
    if legacy:
        yield {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}


def _metaspace(prefix: bool) -> dict[str, Any]:
    scheme = "first" if prefix else "never"
    return {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": scheme, "split": False}


def _decoders(model: SentencePieceModel) -> Iterator[dict[str, Any]]:
    yield {"type": "Replace", "pattern": {"String": SPACE}, "content": " "}
    yield {"type": "ByteFallback"}
    yield {"type": "Fuse"}
    if model.dummy_prefix:
        yield {"type": "Strip", "content": " ", "start": 1, "stop": 0}


def _piece(fields: Mapping[int, Any]) -> Piece:
    text, score = _bytes(fields[1]).decode(), struct.unpack("<f", fields.get(2, b"\0\0\0\0"))[0]
    if score != score:
        raise ValueError("a score is not a number")
    return Piece(text, score, int(fields.get(3, _NORMAL)))


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError("a number stands where a text should")
    return value


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """(field number, value): an int for varints, bytes for everything else."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind, size = tag & 7, 0
        if kind == 0:
            value, at = _varint(message, at)
            yield tag >> 3, value
            continue
        if kind == 2:
            size, at = _varint(message, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind}")
        if at + size > len(message):
            raise ValueError("cut off")
        yield tag >> 3, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 64:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise ValueError("a number is too long")
