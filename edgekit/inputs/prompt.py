"""A conversation with its pictures, as the rows that a decoder reads.

In: turns, the model's template, its tokenizer. Out: a :class:`Prompt`, runs of token ids with pictures
between them, and one key per row by which caches recognise rows that they have seen.

Tokens are those of the model's own code. Original LLaVA splits the text at ``<image>``, tokenizes each
piece by itself and keeps the first piece's BOS only; Hugging Face's processors tokenize the whole text
with ``<image>`` as a special token. Which of the two is right shows in the tokenizer: whether it knows
``<image>``. A prompt starts once: with what the tokenizer puts in front of every text, unless the template has
written that itself, as transformers' processors do it. What a tokenizer puts behind a text is no part of a prompt.

What people write is data. A question that says ``</s>`` or ``<image>`` gets a space inside that word
before it meets the tokenizer, so it neither ends a turn nor asks for a picture; so do words that the template
would take for its own. Tokenizing questions
apart from the template would do as well, but would cut words differently at the seams. Marks that the
tokenizer itself treats as plain text (``USER:``, Mistral's first ``[INST]``) stay as they are written:
no text could be told from them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from edgekit.checkpoint.chat.write import IMAGE, Spoken, write
from edgekit.checkpoint.spec import ImageSpec, ModelSpec, TemplateSpec
from edgekit.checkpoint.tokenizer import start_ids
from edgekit.errors import InputError
from edgekit.inputs.images import Picture
from edgekit.inputs.prepared import PreparedPicture


@dataclass(frozen=True)
class Turn:
    """A question, the pictures that stand before it, and its answer (None: still to come)."""

    question: str
    answer: str | None = None
    images: tuple[Picture | PreparedPicture, ...] = ()


@dataclass(frozen=True)
class TextPiece:
    """A run of token ids."""

    ids: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def keys(self) -> tuple[int, ...]:
        """The ids themselves, all ≥ 0."""
        return self.ids


@dataclass(frozen=True)
class ImagePiece:
    """The rows of one picture. ``pixels()`` prepares it: call it only when ``key`` is in no cache."""

    picture: Picture | PreparedPicture
    spec: ImageSpec
    rows: int

    def __len__(self) -> int:
        return self.rows

    def pixels(self) -> npt.NDArray[np.float32]:
        """Return the picture as the vision tower wants it, float32 ``[3, size, size]``."""
        return self.picture.pixels(self.spec)

    @cached_property
    def key(self) -> str:
        """The name of this picture's embeddings: equal for equal pixels prepared in the same way."""
        preparation = f"{self.picture.digest} {self.spec} {self.rows}"
        return hashlib.sha256(preparation.encode()).hexdigest()

    @cached_property
    def keys(self) -> tuple[int, ...]:
        """One per row: negative 64-bit hashes of ``key`` and the row, so that no token id equals them."""
        return tuple(_negative_hash(f"{self.key} {row}") for row in range(self.rows))


Piece: TypeAlias = TextPiece | ImagePiece


@dataclass(frozen=True)
class Prompt:
    """What a decoder reads, in order; ``len()`` is the number of rows (tokens and image rows)."""

    pieces: tuple[Piece, ...]

    @cached_property
    def keys(self) -> tuple[int, ...]:
        """One int per row; rows with equal keys have equal embeddings."""
        return tuple(key for piece in self.pieces for key in piece.keys)

    def __len__(self) -> int:
        return sum(map(len, self.pieces))

    @property
    def images(self) -> tuple[ImagePiece, ...]:
        return tuple(piece for piece in self.pieces if isinstance(piece, ImagePiece))


def build(spec: ModelSpec, tokenizer: Tokenizer, turns: Sequence[Turn], system: str | None = None) -> Prompt:
    """Write ``turns`` down as ``spec.template`` says; a last turn without an answer ends in the opening.

    ``system`` is a system text of the caller's, in place of the template's own. :class:`InputError` when there is no
    turn, a text is none, a turn before the last lacks its answer, or the template has no place for a system text.
    """
    text = render(spec.template, tokenizer, turns, system)
    runs = _ids_between_images(tokenizer, text)
    pictures = [picture for turn in turns for picture in turn.images]
    assert len(runs) == len(pictures) + 1, "a marker for each picture and no other"
    pieces: list[Piece] = [TextPiece(tuple(runs[0]))] if runs[0] else []
    for picture, run in zip(pictures, runs[1:], strict=True):
        pieces.append(ImagePiece(picture, spec.image, spec.tokens_per_image))
        if run:
            pieces.append(TextPiece(tuple(run)))
    return Prompt(tuple(pieces))


def render(template: TemplateSpec, tokenizer: Tokenizer, turns: Sequence[Turn], system: str | None = None) -> str:
    """Return the conversation as one text, ``<image>`` standing for each picture; same errors as :func:`build`."""
    if not turns:
        raise InputError("There is nothing to ask", "Give a question.")
    for turn in turns:
        _require_text(turn.question, "question")
        _require_text(turn.answer or "", "answer")
    if system is not None:
        _require_system(template, system)
    if any(turn.answer is None for turn in turns[:-1]):
        raise InputError("A turn before the last has no answer", "Only the last question may be open.")
    reserved = _reserved(tokenizer, (*template.reserved, *(template.system_reserved if system is not None else ())))
    spoken = [
        Spoken(
            _as_data(turn.question, reserved),
            None if turn.answer is None else _as_data(turn.answer, reserved),
            len(turn.images),
        )
        for turn in turns
    ]
    return write(template, spoken, None if system is None else _as_data(system, reserved))


def _require_text(text: str, name: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:  # how Python hands on bytes that are no UTF-8
        raise InputError(
            f"The {name} is not UTF-8 text (at its character {error.start + 1})", "Write it in a UTF-8 terminal."
        ) from error


def _require_system(template: TemplateSpec, system: str) -> None:
    _require_text(system, "system text")
    if not system.strip():
        raise InputError("The system text is empty", "Leave it out: the template's own is used then.")
    if not template.takes_system:
        refused = template.system_refused
        reason = f"it {refused}" if refused else "the bundle was built before EdgeKit looked for one"
        raise InputError(
            f"This model's chat template has no place for a system text: {reason}",
            "Say it in the first question; a bundle from before is built again.",
        )


def _reserved(tokenizer: Tokenizer, own: Iterable[str]) -> re.Pattern[str]:
    """Matches ``<image>``, the template's ``own`` words and the tokenizer's special ones (not Phi-2's runs of blanks).

    Without the blanks around them: the template may put those there.
    """
    tokens = (token.content for token in tokenizer.get_added_tokens_decoder().values())
    return re.compile(_any_of({word.strip() for word in (IMAGE, *tokens, *own)} - {""}))


def _any_of(words: set[str]) -> str:
    """A pattern for the longest of ``words``, their common beginnings written once: so a text is read once, however
    many there are of them.
    """
    groups: dict[str, list[str]] = {}
    for word in sorted(words - {""}):
        groups.setdefault(word[0], []).append(word)
    branches = []
    for group in groups.values():
        pairs = zip(group[0], group[-1], strict=False)  # what first and last of a sorted list begin with, all do
        start = "".join(left for left, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        ends = {word[len(start) :] for word in group}
        branches.append(re.escape(start) + (_any_of(ends) if ends != {""} else ""))
    return f"(?:{'|'.join(branches)}){'?' if '' in words else ''}"


def _as_data(text: str, reserved: re.Pattern[str]) -> str:
    """``text`` with a space inside every reserved word; anything else is left alone.

    This ends: each step widens a gap behind a letter, and a gap wider than the longest word breaks all.
    """
    while reserved.search(text):  # breaking one word can lay bare another that overlapped it
        text = reserved.sub(lambda match: f"{match[0][:1]} {match[0][1:]}" if len(match[0]) > 1 else " ", text)
    return text


def _ids_between_images(tokenizer: Tokenizer, text: str) -> list[list[int]]:
    """Token ids before, between and after the pictures: one list more than there are pictures."""
    image_id = tokenizer.token_to_id(IMAGE)
    if image_id is not None and image_id in tokenizer.get_added_tokens_decoder():
        runs = list(_split(_ids(tokenizer, [text])[0], image_id))
    else:
        runs = _ids(tokenizer, text.split(IMAGE))
    start = start_ids(tokenizer)
    return [runs[0] if runs[0][: len(start)] == start else [*start, *runs[0]], *runs[1:]]


def _ids(tokenizer: Tokenizer, texts: list[str]) -> list[list[int]]:
    """The ids of each text. As a batch, also of one: the library lets Python's other threads go on meanwhile only then,
    and a megabyte of text takes a second.
    """
    return [encoded.ids for encoded in tokenizer.encode_batch(texts, add_special_tokens=False)]


def _split(ids: Sequence[int], at: int) -> Iterator[list[int]]:
    run: list[int] = []
    for token in ids:
        if token == at:
            yield run
            run = []
        else:
            run.append(token)
    yield run


def _negative_hash(text: str) -> int:
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % 2**63 - 2**63
