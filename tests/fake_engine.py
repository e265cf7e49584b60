"""A toy engine in numpy that is strict about the protocol, and prompts and a tokenizer to go with it.

Every token's output depends on all keys and values before it, so wrong KV shows as wrong text. Tokens are
computed one by one, so equal content gives equal bits however it was chunked, batched or copied.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from edgekit.checkpoint.packed import Array
from edgekit.checkpoint.spec import (
    DecoderSpec,
    ImageSpec,
    ModelSpec,
    ProjectorSpec,
    RopeSpec,
    TemplateSpec,
    VisionSpec,
)
from edgekit.engines.base import Logits
from edgekit.inputs.images import Picture
from edgekit.inputs.prompt import ImagePiece, Piece, Prompt, TextPiece

STOP = 256
VOCAB = 260
HIDDEN = 16
IMAGE_ROWS = 9
IMAGE = ImageSpec(size=4, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), fit="stretch")


class ProtocolError(Exception):
    """The caller broke the engine's contract; no ``EdgeKitError``, so nothing swallows it."""


def _demand(good: bool, what: str) -> None:
    if not good:
        raise ProtocolError(what)


class FakeEngine:
    """``calls`` notes what was asked: ("prefill", slot, start, stop), ("decode", slots), ("copy", …), ("encode", n)."""

    def __init__(self, slots: int = 3, context: int = 96, chunk: int = 16, seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        self.slots, self.context, self.chunk = slots, context, chunk
        self.valid = [0] * slots
        self.calls: list[tuple[object, ...]] = []
        self._kv = np.zeros((slots, context, 2, HIDDEN), dtype=np.float32)
        self._table = random.normal(size=(VOCAB, HIDDEN)).astype(np.float32)
        self._weights = random.normal(size=(3, HIDDEN, HIDDEN)).astype(np.float32) / 2
        self._head = random.normal(size=(HIDDEN, VOCAB)).astype(np.float32)
        self._places = random.normal(size=(context, HIDDEN)).astype(np.float32)

    @property
    def kv_bytes(self) -> int:
        return self._kv.nbytes

    def encode(self, pixels: npt.NDArray[np.float32]) -> Array:
        _demand(
            pixels.dtype == np.float32 and pixels.shape[1:] == (3, IMAGE.size, IMAGE.size), f"pixels {pixels.shape}"
        )
        self.calls.append(("encode", len(pixels)))
        seeds = [zlib.crc32(image.tobytes()) for image in pixels]
        rows = (IMAGE_ROWS, HIDDEN)
        return np.stack([np.random.default_rng(seed).normal(size=rows).astype(np.float32) for seed in seeds])

    def embed(self, tokens: Sequence[int]) -> Array:
        _demand(len(tokens) > 0, "no tokens to embed")
        return self._table[list(tokens)]

    def prefill(self, slot: int, embeds: Array, start: int) -> Logits:
        _demand(embeds.ndim == 2 and embeds.shape[1] == HIDDEN and embeds.dtype == np.float32, f"embeds {embeds.shape}")
        stop = start + len(embeds)
        _demand(1 <= len(embeds) <= self.chunk, f"a chunk of {len(embeds)}")
        _demand(0 <= start <= self.valid[slot], f"start {start} behind the {self.valid[slot]} valid tokens")
        _demand(stop <= self.context, f"overflow: {stop}")
        self.calls.append(("prefill", slot, start, stop))
        for position, row in enumerate(embeds, start):
            logits = self._token(slot, position, row)
        self.valid[slot] = stop
        return logits

    def decode(self, tokens: Sequence[int], slots: Sequence[int]) -> Logits:
        _demand(0 < len(tokens) == len(slots), f"{len(tokens)} tokens for {len(slots)} slots")
        _demand(len(set(slots)) == len(slots), f"a slot twice: {slots}")
        self.calls.append(("decode", *slots))
        rows = []
        for token, slot in zip(tokens, slots, strict=True):
            _demand(0 < self.valid[slot] < self.context, f"slot {slot} is empty or full")
            rows.append(self._token(slot, self.valid[slot], self._table[token]))
            self.valid[slot] += 1
        return np.stack(rows)

    def copy(self, source: int, target: int, length: int) -> None:
        _demand(source != target and 0 < length <= self.valid[source], f"copy of {length} of {self.valid[source]}")
        self.calls.append(("copy", source, target, length))
        self._kv[target, :length] = self._kv[source, :length]
        self._kv[target, length:] = np.nan  # whoever reads on here reads what nobody wrote
        self.valid[target] = length

    def close(self) -> None:
        self.slots = 0

    def _token(self, slot: int, position: int, row: Array) -> Logits:
        query, key, value = np.tanh((row + self._places[position]) @ self._weights)
        self._kv[slot, position] = key, value
        keys, values = self._kv[slot, : position + 1, 0], self._kv[slot, : position + 1, 1]
        weights = np.exp(keys @ query / 4)
        logits: Logits = (4 * (weights @ values) / weights.sum() + row / 2) @ self._head
        return logits


class DriftingEngine(FakeEngine):
    """As real engines do, it writes other keys and values for a token that is decoded than for the same token read; so
    much farther from them that the words behind it are soon others.
    """

    def decode(self, tokens: Sequence[int], slots: Sequence[int]) -> Logits:
        logits = super().decode(tokens, slots)
        for slot in slots:
            self._kv[slot, self.valid[slot] - 1] *= 1.25
        return logits


def byte_tokenizer() -> Tokenizer:
    """Ids 0…255 are the bytes, :data:`STOP` is the special ``</s>``."""
    vocab = {char: byte for byte, char in enumerate(_byte_chars())}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken("</s>", special=True)])
    assert tokenizer.token_to_id("</s>") == STOP
    return tokenizer


def _byte_chars() -> list[str]:
    """GPT-2's printable stand-in for each byte: the byte's own character, or the next free one from U+0100."""
    own = {*range(33, 127), *range(161, 173), *range(174, 256)}
    spare = iter(range(256, 512))
    return [chr(byte if byte in own else next(spare)) for byte in range(256)]


def text_prompt(text: str) -> Prompt:
    return Prompt((TextPiece(tuple(text.encode())),))


def image_piece(shade: int) -> ImagePiece:
    return ImagePiece(Picture(Image.new("RGB", (4, 4), (shade, shade, shade)), f"shade {shade}"), IMAGE, IMAGE_ROWS)


def image_prompt(*parts: str | int) -> Prompt:
    """Text as it stands; a number is an image of that shade of grey."""
    pieces: list[Piece] = [
        TextPiece(tuple(part.encode())) if isinstance(part, str) else image_piece(part) for part in parts
    ]
    return Prompt(tuple(pieces))


def fake_spec(stop_ids: tuple[int, ...] = (STOP,), stop: tuple[str, ...] = ()) -> ModelSpec:
    """A model's description with the toy engine's sizes."""
    return ModelSpec(
        family="toy",
        vision=VisionSpec(
            kind="siglip",
            hidden=HIDDEN,
            layers=1,
            heads=1,
            ff=HIDDEN,
            image_size=4,
            patch=2,
            activation="gelu",
            norm_eps=1e-5,
            drop_cls=False,
        ),
        projector=ProjectorSpec((HIDDEN, HIDDEN)),
        decoder=DecoderSpec(
            kind="llama",
            hidden=HIDDEN,
            layers=1,
            heads=1,
            kv_heads=1,
            head_dim=HIDDEN,
            ff=HIDDEN,
            vocab=VOCAB,
            context=96,
            norm="rms",
            norm_eps=1e-5,
            activation="silu",
            gated=True,
            rope=RopeSpec(theta=10000.0, dim=HIDDEN),
        ),
        image=IMAGE,
        template=TemplateSpec(name="toy", system="", user="{}", opening="", reply="{}", stop=stop),
        bos_id=None,
        stop_ids=stop_ids,
    )
