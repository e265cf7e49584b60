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
from edgekit.check.measure import UNUSABLE, compare, gain, offset, relative_error
from edgekit.check.scales import dead_rows, dead_scales
from edgekit.checkpoint.packed import Array
from edgekit.engines.base import PartedEngine
from edgekit.inputs.images import Picture
from edgekit.inputs.preprocess import preprocess

Name: TypeAlias = Literal["image", "template", "vision", "projector", "embedding", "decoder"]


@dataclass(frozen=True, kw_only=True)
class ComponentFigures:
    """How far a component is from what it should give: ``error``, beside the same weights in exact arithmetic, and
    ``loss``, beside the unquantized model.

    Both are relative; of the template, the share of prompts that differ; UNUSABLE where nothing can be compared.
    ``offset``: the part of the error that all rows have alike, ``gain``: by how much the whole is too large; noise has
    neither. ``kl``: the decoder's loss in nats. ``fault``: what is wrong whatever the figures say; "" for nothing.
    """

    name: Name
    error: float
    loss: float = 0.0
    offset: float | None = None
    gain: float | None = None
    kl: float | None = None
    fault: str = ""


@dataclass(frozen=True, kw_only=True)
class Specimen:
    """What is examined: a bundle with its record and pictures, and the engine that runs it."""

    bundle: Bundle
    golden: Golden
    arrays: Arrays
    pictures: tuple[Picture, ...]
    tokenizer: Tokenizer
    engine: PartedEngine


def measure_components(specimen: Specimen, step: Callable[[], None]) -> tuple[ComponentFigures, ...]:
    """Measure all six, in the order in which a question passes them; ``step`` is called once for each sequence."""
    return (
        _image(specimen),
        _template(specimen),
        _vision(specimen),
        _projector(specimen),
        _embedding(specimen),
        _decoder(specimen, step),
    )


def _image(specimen: Specimen) -> ComponentFigures:
    """The stored pictures, prepared as the manifest says."""
    spec, expected = specimen.bundle.manifest.spec.image, specimen.arrays.pixels
    pixels = [preprocess(picture.image, spec) for picture in specimen.pictures]
    return ComponentFigures(name="image", error=relative_error(np.stack(pixels), expected) if pixels else 0.0)


def _template(specimen: Specimen) -> ComponentFigures:
    """The stored questions, written down by the bundle's own template and tokenizer."""
    spec, sequences = specimen.bundle.manifest.spec, specimen.golden.sequences
    wrong = 0
    for sequence in sequences:
        picture = None if sequence.picture is None else specimen.pictures[sequence.picture]
        wrong += ids_of(prompt_of(spec, specimen.tokenizer, sequence.question, picture)) != sequence.prompt
    return ComponentFigures(name="template", error=wrong / len(sequences))


def _vision(specimen: Specimen) -> ComponentFigures:
    return _encoded(
        specimen, "vision", specimen.engine.features, lambda outputs: specimen.arrays.pixels[:1], "features"
    )


def _projector(specimen: Specimen) -> ComponentFigures:
    return _encoded(specimen, "projector", specimen.engine.project, lambda outputs: outputs.features, "embeds")


def _encoded(
    specimen: Specimen,
    name: Name,
    run: Callable[[Array], Array],
    inputs_of: Callable[[Outputs], Array],
    output: str,
) -> ComponentFigures:
    """Tower or projector, on what exact arithmetic and on what the reference gave before it."""
    exact, reference, fault = specimen.arrays.exact, specimen.arrays.reference, _dead(specimen, name)
    if not specimen.pictures:
        return ComponentFigures(name=name, error=0.0, fault=fault)
    outputs, expected = run(inputs_of(exact).astype(np.float32)), getattr(exact, output)
    loss = relative_error(run(inputs_of(reference).astype(np.float32)), getattr(reference, output))
    return ComponentFigures(
        name=name,
        error=relative_error(outputs, expected),
        loss=loss,
        offset=offset(outputs, expected),
        gain=gain(outputs, expected),
        fault=fault,
    )


def _embedding(specimen: Specimen) -> ComponentFigures:
    """Rows of the tokens that were used; both figures are of the worst row, as a row is used alone."""
    arrays = specimen.arrays
    rows = specimen.engine.embed(arrays.tokens.tolist())
    error, loss = (
        max(relative_error(row, expected) for row, expected in zip(rows, side.rows, strict=True))
        for side in (arrays.exact, arrays.reference)
    )
    dead = dead_rows(specimen.bundle.file("embedding.safetensors"))
    fault = f"{len(dead)} rows have a dead scale, the first that of token {dead[0]}" if dead else ""
    return ComponentFigures(name="embedding", error=error, loss=loss, fault=fault)


def _decoder(specimen: Specimen, step: Callable[[], None]) -> ComponentFigures:
    """Layers and head, on the rows of picture and text."""
    exact, reference = specimen.arrays.exact, specimen.arrays.reference
    given, expected = _centred(_logits(specimen, exact, step)[0]), _centred(exact.logits)
    logits, kl = _logits(specimen, reference, step)
    return ComponentFigures(
        name="decoder",
        error=relative_error(given, expected),
        loss=relative_error(_centred(logits), _centred(reference.logits)),
        offset=offset(given, expected),
        gain=gain(given, expected),
        kl=kl if np.isfinite(kl) else UNUSABLE,
        fault=_dead(specimen, "decoder"),
    )


def _logits(specimen: Specimen, outputs: Outputs, step: Callable[[], None]) -> tuple[Array, float]:
    """Of the token ids that are kept, ``[positions, kept ids]``; and the mean divergence from the reference."""
    kl, kept = [], []
    answers = forced.stored_answers(specimen.engine, specimen.golden, specimen.arrays.tokens.tolist(), outputs)
    for sequence, logits in answers:
        kl.append(compare(sequence.positions, logits).kl)
        kept.append(logits[:, list(specimen.golden.kept_ids)])
        step()
    return np.concatenate(kept), float(np.concatenate(kl).mean())


def _centred(logits: Array) -> Array:
    """What is added to every logit alike changes nothing."""
    wide = logits.astype(np.float64)
    centred: Array = wide - wide.mean(-1, keepdims=True)
    return centred


def _dead(specimen: Specimen, name: str) -> str:
    layers = dead_scales(specimen.bundle.file(f"graphs/{name}.onnx"))
    if not layers:
        return ""
    more = f" and {len(layers) - 1} more" if len(layers) > 1 else ""
    return f"{layers[0]}{more} has a scale that is zero or no number"
