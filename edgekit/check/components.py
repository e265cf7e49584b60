"""Each component by itself, fed with what the others should have given it: which one is wrong shows here.

Twice: beside the bundle's own weights in exact arithmetic, where only rounding may be between them and a wrong graph
shows, however coarse the weights; and beside the unquantized model, where what quantization took away shows. The
decoder's figures are of logits (each position's mean taken off) of token ids spread over the vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from tokenizers import Tokenizer

from edgekit.bundle import Bundle
from edgekit.check import forced
from edgekit.check.golden import Arrays, Golden, Outputs
from edgekit.check.make import ids_of, prompt_of
from edgekit.check.measure import UNUSABLE, compare, offset, relative_error
from edgekit.check.scales import dead_rows, dead_scales
from edgekit.checkpoint.packed import Array
from edgekit.engines.base import PartedEngine
from edgekit.inputs.images import Picture
from edgekit.inputs.preprocess import preprocess

Name: TypeAlias = Literal["image", "template", "vision", "projector", "embedding", "decoder"]


@dataclass(frozen=True)
class Measured:
    """``error``: beside the same weights in exact arithmetic; ``loss``: beside the unquantized model. Both relative;
    of the template, the share of prompts that differ; UNUSABLE where nothing can be compared. ``offset``: the part of
    the error that all rows have alike, which noise has not. ``kl``: the decoder's loss in nats. ``fault``: what is
    wrong whatever the figures say; "" for nothing."""

    name: Name
    error: float
    loss: float = 0.0
    offset: float | None = None
    kl: float | None = None
    fault: str = ""


@dataclass(frozen=True)
class Subject:
    """What is looked at: a bundle with its record and pictures, and the engine that runs it."""

    bundle: Bundle
    golden: Golden
    arrays: Arrays
    pictures: tuple[Picture, ...]
    tokenizer: Tokenizer
    engine: PartedEngine


def measure_components(subject: Subject, step: Callable[[], None]) -> tuple[Measured, ...]:
    """All six, in the order in which a question passes them; ``step`` is called once for each sequence."""
    return (
        _image(subject),
        _template(subject),
        _vision(subject),
        _projector(subject),
        _embedding(subject),
        _decoder(subject, step),
    )


def _image(subject: Subject) -> Measured:
    """The stored pictures, prepared as the manifest says."""
    spec, expected = subject.bundle.manifest.spec.image, subject.arrays.pixels
    pixels = [preprocess(picture.image, spec) for picture in subject.pictures]
    return Measured("image", relative_error(np.stack(pixels), expected) if pixels else 0.0)


def _template(subject: Subject) -> Measured:
    """The stored questions, written down by the bundle's own template and tokenizer."""
    spec, sequences = subject.bundle.manifest.spec, subject.golden.sequences
    wrong = 0
    for sequence in sequences:
        picture = None if sequence.picture is None else subject.pictures[sequence.picture]
        wrong += ids_of(prompt_of(spec, subject.tokenizer, sequence.question, picture)) != sequence.prompt
    return Measured("template", wrong / len(sequences))


def _vision(subject: Subject) -> Measured:
    return _encoded(subject, "vision", subject.engine.features, lambda outputs: subject.arrays.pixels[:1], "features")


def _projector(subject: Subject) -> Measured:
    return _encoded(subject, "projector", subject.engine.project, lambda outputs: outputs.features, "embeds")


def _encoded(
    subject: Subject,
    name: Name,
    run: Callable[[Array], Array],
    given: Callable[[Outputs], Array],
    wanted: str,
) -> Measured:
    """Tower or projector, on what exact arithmetic and on what the reference gave before it."""
    exact, reference, fault = subject.arrays.exact, subject.arrays.reference, _dead(subject, name)
    if not subject.pictures:
        return Measured(name, 0.0, fault=fault)
    found, expected = run(given(exact).astype(np.float32)), getattr(exact, wanted)
    loss = relative_error(run(given(reference).astype(np.float32)), getattr(reference, wanted))
    return Measured(name, relative_error(found, expected), loss, offset(found, expected), fault=fault)


def _embedding(subject: Subject) -> Measured:
    """Rows of the tokens that were used; both figures are of the worst row, as a row is used alone."""
    arrays = subject.arrays
    found = subject.engine.embed(arrays.tokens.tolist())
    error, loss = (
        max(relative_error(one, row) for one, row in zip(found, side.rows, strict=True))
        for side in (arrays.exact, arrays.reference)
    )
    rows = dead_rows(subject.bundle.file("embedding.safetensors"))
    fault = f"{len(rows)} rows have a dead scale, the first that of token {rows[0]}" if rows else ""
    return Measured("embedding", error, loss, fault=fault)


def _decoder(subject: Subject, step: Callable[[], None]) -> Measured:
    """Layers and head, on the rows of picture and text."""
    exact, reference = subject.arrays.exact, subject.arrays.reference
    given = _centred(_logits(subject, exact, step)[0])
    logits, kl = _logits(subject, reference, step)
    return Measured(
        "decoder",
        relative_error(given, _centred(exact.logits)),
        relative_error(_centred(logits), _centred(reference.logits)),
        offset(given, _centred(exact.logits)),
        kl if np.isfinite(kl) else UNUSABLE,
        _dead(subject, "decoder"),
    )


def _logits(subject: Subject, outputs: Outputs, step: Callable[[], None]) -> tuple[Array, float]:
    """Of the token ids that are kept, ``[positions, probes]``; and the mean divergence from the reference."""
    kl, found, reader = [], [], forced.Reader(subject.engine)
    for at in subject.golden.alone:
        sequence = subject.golden.sequences[at]
        rows, following = forced.stored_rows(sequence, subject.arrays.tokens.tolist(), outputs)
        logits = reader.told_rows(rows, following)
        kl.append(compare(sequence.positions, logits).kl)
        found.append(logits[:, list(subject.golden.probes)])
        step()
    return np.concatenate(found), float(np.concatenate(kl).mean())


def _centred(logits: Array) -> Array:
    """What is added to every logit alike changes nothing."""
    wide = logits.astype(np.float64)
    centred: Array = wide - wide.mean(-1, keepdims=True)
    return centred


def _dead(subject: Subject, name: str) -> str:
    layers = dead_scales(subject.bundle.file(f"graphs/{name}.onnx"))
    if not layers:
        return ""
    more = f" and {len(layers) - 1} more" if len(layers) > 1 else ""
    return f"{layers[0]}{more} has a scale that is zero or no number"
