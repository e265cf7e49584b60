"""The golden record: questions, the answers of the engine that built the bundle, and what the reference says to them.

``golden.json`` holds the questions and logits, ``golden.safetensors`` what passes between components (float16), the
folder ``golden`` the pictures at the model's own size. All of it is sealed with the bundle.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from edgekit import config
from edgekit.bundle import Bundle, Manifest
from edgekit.checkpoint.packed import Array
from edgekit.checkpoint.safetensors import open_file
from edgekit.errors import BundleError, CheckpointError, ConfigError
from edgekit.files import write_text
from edgekit.stream import Entry, Put, write_safetensors

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


@dataclass(frozen=True)
class Golden:
    """``reference``: the unquantized model, or the checkpoint "as stored" where that was quantized already.

    ``engine``: what gave the answers. ``pictures``: files of the bundle. ``probes``: the token ids whose logits
    :class:`Arrays` holds of every position.
    """

    format: int
    reference: Literal["unquantized", "as stored"]
    engine: str
    pictures: tuple[str, ...]
    probes: tuple[int, ...]
    sequences: tuple[GoldenSequence, ...]


@dataclass(frozen=True)
class Arrays:
    """Of the reference, float16: ``pixels`` ``[pictures, 3, size, size]``, ``features`` ``[pictures, tokens, width]``,
    ``embeds`` ``[pictures, tokens, hidden]``, ``rows`` ``[len(tokens), hidden]`` of the embedding, ``logits``
    ``[positions of all sequences, probes]``. ``tokens``: the text's ids, rising, int64."""

    pixels: Array
    features: Array
    embeds: Array
    tokens: npt.NDArray[np.int64]
    rows: Array
    logits: Array


def write_golden(folder: Path, golden: Golden, arrays: Arrays) -> None:
    """Write both files into ``folder``; the pictures lie there already."""
    write_text(folder / GOLDEN, json.dumps(config.dump(golden), separators=(",", ":")) + "\n")
    named = {name: _narrow(array) for name, array in vars(arrays).items()}
    entries = [Entry(name, "I64" if name == "tokens" else "F16", array.shape) for name, array in named.items()]

    def fill(put: Put) -> None:
        for name, array in named.items():
            put(name, 0, array)

    write_safetensors(folder / ARRAYS, entries, [(sum(array.nbytes for array in named.values()), fill)], {})


def _narrow(array: Array) -> Array:
    if array.dtype == np.int64:
        return array
    most = float(np.finfo(np.float16).max)
    narrow: Array = np.clip(array, -most, most).astype(np.float16)
    return narrow


def read_golden(bundle: Bundle) -> tuple[Golden, Arrays]:
    """A bundle's record; :class:`BundleError` where it has none, or one that is damaged."""
    if GOLDEN not in bundle.manifest.files:
        raise BundleError(
            f"{bundle.path} has no golden answers to be checked against", "Build it again: edgekit build makes them."
        )
    where = bundle.path / GOLDEN
    try:
        golden = config.load_json(where, Golden)
        arrays = _arrays(bundle.file(ARRAYS))
        _require_sound(golden, arrays, bundle.manifest, where)
    except (ConfigError, CheckpointError) as error:
        raise BundleError(error.message, _AGAIN) from error
    for name in golden.pictures:
        bundle.file(name)
    return golden, arrays


def _arrays(path: Path) -> Arrays:
    stored = open_file(path)
    found: dict[str, Array] = {}
    for name in Arrays.__dataclass_fields__:
        wanted = np.dtype(np.int64 if name == "tokens" else np.float16)
        if name not in stored or stored[name].dtype != wanted or not stored[name].shape:
            raise ConfigError(f"{path} holds no {name}")
        found[name] = stored[name].rows(0, stored[name].shape[0])
    return Arrays(**found)


def _require_sound(golden: Golden, arrays: Arrays, manifest: Manifest, where: Path) -> None:
    """That every number names something that is there: what comes after relies on it."""
    spec = manifest.spec
    pictures, vocab, hidden = len(golden.pictures), spec.decoder.vocab, spec.decoder.hidden
    positions = sum(len(sequence.positions) for sequence in golden.sequences)
    size, image_tokens = spec.image.size, spec.tokens_per_image
    shapes = {
        "pixels": (pictures, 3, size, size),
        "features": (pictures, image_tokens, spec.projector.widths[0]),
        "embeds": (pictures, image_tokens, hidden),
        "tokens": arrays.tokens.shape[:1],
        "rows": (len(arrays.tokens), hidden),
        "logits": (positions, len(golden.probes)),
    }
    wrong = [name for name, shape in shapes.items() if getattr(arrays, name).shape != shape]
    known = set(arrays.tokens.tolist())
    rules = {
        f"format {golden.format}, where this EdgeKit reads {FORMAT}": golden.format == FORMAT,
        "no sequences": positions > 0,
        f"{', '.join(wrong)} of another shape in {ARRAYS}": not wrong,
        "tokens that do not rise": all(a < b for a, b in pairwise(arrays.tokens.tolist())),
        "a token outside the vocabulary": all(0 <= token < vocab for token in (*golden.probes, *known)),
        "a sequence longer than the context": all(
            len(one.prompt) + len(one.positions) + image_tokens * (one.picture is not None) - 1 <= manifest.context
            for one in golden.sequences
        ),
        "sequences that name what is not there": all(
            _is_sound(sequence, pictures, known, vocab) for sequence in golden.sequences
        ),
    }
    for rule, kept in rules.items():
        if not kept:
            raise ConfigError(f"{where} has {rule}")


def _is_sound(sequence: GoldenSequence, pictures: int, known: set[int], vocab: int) -> bool:
    marks = sequence.prompt.count(PICTURE)
    pictured = marks == 0 if sequence.picture is None else marks == 1 and 0 <= sequence.picture < pictures
    tokens = {*sequence.prompt, *sequence.answer} - {PICTURE}
    return (
        pictured
        and bool(sequence.prompt and sequence.positions)
        and tokens <= known
        and all(
            len(position.ids) == len(position.logits) > 1 and all(0 <= token < vocab for token in position.ids)
            for position in sequence.positions
        )
    )
