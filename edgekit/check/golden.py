"""The golden record: questions, the answers of the engine that built the bundle, and what the reference says to them.

``golden.json`` holds the questions and logits, ``golden.safetensors`` what passes between components (float16), the
folder ``golden`` the pictures at the model's own size. All of it is sealed with the bundle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from edgekit.bundle import Bundle, Manifest
from edgekit.checkpoint.packed import Array
from edgekit.checkpoint.safetensors import open_file
from edgekit.checkpoint.tensor_file import Entry, Put, write_safetensors
from edgekit.config import load_json
from edgekit.config.writing import write_json
from edgekit.errors import BundleError, CheckpointError, ConfigError

GOLDEN, ARRAYS, PICTURES = "golden.json", "golden.safetensors", "golden"
FORMAT = 1
PICTURE = -1
"""What stands in a prompt's ids for the rows of the picture."""
_AGAIN = "Copy the bundle again, or build it again."


@dataclass(frozen=True)
class Position:
    """One place of an answer: the ``token`` that the building engine gave there, and the reference's word on it.

    ``ids`` and ``logits``: the reference's highest, in their order. ``token_logit``: its logit of ``token``;
    ``logsumexp``: over its whole vocabulary.
    """

    token: int
    token_logit: float
    ids: tuple[int, ...]
    logits: tuple[float, ...]
    logsumexp: float


@dataclass(frozen=True)
class GoldenSequence:
    """A question about a picture (an index; None: text alone), the prompt's ids with :data:`PICTURE` where the picture
    stands, and the answer's positions. The last token is one that ends answers, unless the answer was cut."""

    question: str
    picture: int | None
    prompt: tuple[int, ...]
    positions: tuple[Position, ...]

    @property
    def answer(self) -> tuple[int, ...]:
        return tuple(position.token for position in self.positions)


@dataclass(frozen=True, kw_only=True)
class Golden:
    """The record, but for its arrays (:class:`Arrays`).

    * ``format`` of the file
    * ``reference``: the unquantized model, or the checkpoint "as stored" where that was quantized already
    * ``engine``: what gave the answers
    * ``pictures``: files of the bundle
    * ``kept_ids``: the token ids whose logits the arrays hold
    * ``alone``: the sequences by which the decoder is checked alone, all about the first picture
    * ``sequences``: the questions and their answers
    * ``errors`` of each component at the build, by its name: how far an engine that works is from exact arithmetic
    """

    format: int
    reference: Literal["unquantized", "as stored"]
    engine: str
    pictures: tuple[str, ...]
    kept_ids: tuple[int, ...]
    alone: tuple[int, ...]
    sequences: tuple[GoldenSequence, ...]
    errors: dict[str, float] = field(default_factory=dict)

    FILE_KEYS: ClassVar[Mapping[str, str]] = {
        **{name: name for name in ("format", "reference", "engine", "pictures")},
        "probes": "kept_ids",
        **{name: name for name in ("alone", "sequences", "errors")},
    }


@dataclass(frozen=True)
class Outputs:
    """What a model's components give, float16: ``features`` ``[1, tokens, width]`` and ``embeds`` ``[1, tokens,
    hidden]`` of the first picture (``[0, …]`` where there is none), ``rows`` ``[tokens of the text, hidden]`` of the
    embedding, ``logits`` ``[positions of the sequences alone, kept ids]``."""

    features: Array
    embeds: Array
    rows: Array
    logits: Array


@dataclass(frozen=True)
class Arrays:
    """``pixels`` ``[pictures, 3, size, size]``, float16; ``tokens``: the text's ids, rising, int64.

    ``reference``: the outputs of the unquantized model. ``exact``: those of the bundle's own weights, computed in
    float32 without any graph of the bundle: an engine that does its work gives nearly the same.
    """

    pixels: Array
    tokens: npt.NDArray[np.int64]
    reference: Outputs
    exact: Outputs


def write_golden(folder: Path, golden: Golden, arrays: Arrays) -> None:
    """Write both files into ``folder``; the pictures lie there already."""
    write_record(folder, golden)
    named = {"pixels": _narrow(arrays.pixels), "tokens": arrays.tokens}
    for kind in ("reference", "exact"):
        named |= {f"{kind}.{name}": _narrow(array) for name, array in vars(getattr(arrays, kind)).items()}
    entries = [Entry(name, "I64" if name == "tokens" else "F16", array.shape) for name, array in named.items()]

    def fill(put: Put) -> None:
        for name, array in named.items():
            put(name, 0, array)

    write_safetensors(folder / ARRAYS, entries, [(sum(array.nbytes for array in named.values()), fill)], {})


def write_record(folder: Path, golden: Golden) -> None:
    """Write ``golden.json`` alone, whole or not at all."""
    write_json(folder / GOLDEN, golden, "compact")


def _narrow(array: Array) -> Array:
    most = float(np.finfo(np.float16).max)
    narrow: Array = np.clip(array, -most, most).astype(np.float16)
    return narrow


def read_golden(bundle: Bundle) -> tuple[Golden, Arrays]:
    """Read a bundle's record; :class:`BundleError` where it has none, or one that is damaged."""
    if GOLDEN not in bundle.manifest.files:
        raise BundleError(
            f"{bundle.path} has no golden answers to be checked against", "Build it again: edgekit build makes them."
        )
    path = bundle.path / GOLDEN
    try:
        golden = load_json(path, Golden, FORMAT)
        arrays = _arrays(bundle.file(ARRAYS))
        _require_sound(golden, arrays, bundle.manifest, path)
    except (ConfigError, CheckpointError) as error:
        raise BundleError(error.message, _AGAIN) from error
    for name in golden.pictures:
        bundle.file(name)
    return golden, arrays


def _arrays(path: Path) -> Arrays:
    stored = open_file(path)

    def read(name: str, dtype: type[np.generic] = np.float16) -> Array:
        if name not in stored or stored[name].dtype != dtype or not stored[name].shape:
            raise ConfigError(f"{path} holds no {name}")
        return stored[name].rows(0, stored[name].shape[0])

    def outputs(kind: str) -> Outputs:
        return Outputs(*(read(f"{kind}.{name}") for name in Outputs.__dataclass_fields__))

    return Arrays(read("pixels"), read("tokens", np.int64), outputs("reference"), outputs("exact"))


def _require_sound(golden: Golden, arrays: Arrays, manifest: Manifest, path: Path) -> None:
    """That every number names something that is there: what comes after relies on it."""
    spec, count = manifest.spec, len(golden.sequences)
    vocab, hidden, image_tokens = spec.decoder.vocab, spec.decoder.hidden, spec.tokens_per_image
    first = min(1, len(golden.pictures))
    tokens = set(arrays.tokens.ravel().tolist())
    rules = {
        "no sequences": count > 0 and len(golden.alone) > 0,
        "tokens that do not rise": all(a < b for a, b in pairwise(arrays.tokens.ravel().tolist())),
        "a token outside the vocabulary": all(0 <= token < vocab for token in (*golden.kept_ids, *tokens)),
        "sequences that name what is not there": all(
            _is_sound(sequence, len(golden.pictures), tokens, vocab) for sequence in golden.sequences
        )
        and all(0 <= at < count and golden.sequences[at].picture in (None, 0) for at in golden.alone),
        "a sequence longer than the context": all(
            len(sequence.prompt) + len(sequence.positions) + image_tokens * (sequence.picture is not None) - 1
            <= manifest.context
            for sequence in golden.sequences
        ),
    }
    for rule, kept in rules.items():
        if not kept:
            raise ConfigError(f"{path} has {rule}")
    shapes = {
        "features": (first, image_tokens, spec.projector.widths[0]),
        "embeds": (first, image_tokens, hidden),
        "rows": (len(arrays.tokens), hidden),
        "logits": (sum(len(golden.sequences[at].positions) for at in golden.alone), len(golden.kept_ids)),
    }
    pixels = (len(golden.pictures), 3, spec.image.size, spec.image.size)
    wrong = [
        name
        for side in (arrays.reference, arrays.exact)
        for name in shapes
        if getattr(side, name).shape != shapes[name]
    ]
    if wrong or arrays.pixels.shape != pixels or arrays.tokens.ndim != 1:
        raise ConfigError(f"{path.with_name(ARRAYS)} has arrays of another shape: {', '.join(wrong) or 'pixels'}")


def _is_sound(sequence: GoldenSequence, pictures: int, stored: set[int], vocab: int) -> bool:
    marks = sequence.prompt.count(PICTURE)
    pictured = marks == 0 if sequence.picture is None else marks == 1 and 0 <= sequence.picture < pictures
    tokens = {*sequence.prompt, *sequence.answer} - {PICTURE}
    return (
        pictured
        and bool(sequence.prompt and sequence.positions)
        and tokens <= stored
        and all(
            len(position.ids) == len(position.logits) > 1 and all(0 <= token < vocab for token in position.ids)
            for position in sequence.positions
        )
    )
