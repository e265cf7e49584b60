"""From a checkpoint to one in a recipe's precision, with a user's own questions and pictures: ``--calibrate DATA``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from edgekit.blocks import BlockModel, Floats
from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.packed import is_packed
from edgekit.checkpoint.shapes import has_cache_scales
from edgekit.errors import ConfigError
from edgekit.inputs.examples import Example, read_examples
from edgekit.inputs.prompt import Prompt
from edgekit.onnx_session import fastest
from edgekit.progress import Progress, silent
from edgekit.quantize.cache import with_cache_scales
from edgekit.quantize.calibrated import calibrated, looked_at
from edgekit.quantize.quantize import quantize
from edgekit.quantize.samples import samples
from edgekit.quantize.shown import phantoms, prompts
from edgekit.quantize.tower import TowerInputs, with_tower
from edgekit.recipe import Method, Recipe

SAMPLES = 32
"""Examples that are read. Half as many take a 7B model's shapes two minutes a layer on two cores, by awq."""
PICTURES = 8
"""Of them, pictures by which a tower's largest activations are found."""
COARSE = 128
"""Inputs to a scale from which AWQ's scales win more in front of GPTQ than they lose, as measured (docs/figures.md)."""


@dataclass(frozen=True)
class Calibrated:
    """``checkpoint``: in the recipe's precision; ``notes``: what was not as asked, a sentence each; ``errors`` of
    matrices' outputs (:func:`~edgekit.quantize.calibrated.calibrated`) and ``tower``, where examples were looked at."""

    checkpoint: Checkpoint
    notes: tuple[str, ...] = ()
    errors: Mapping[str, float] = field(default_factory=dict)
    tower: TowerInputs | None = None


def with_method(checkpoint: Checkpoint, recipe: Recipe, examples: Path | None) -> Recipe:
    """Return the recipe with the method that it will be done by: its own, or the best where there are examples and
    it names none.

    :class:`ConfigError` where the method wants examples and there are none, or they would be of no use.
    """
    if examples is None:
        if recipe.method != "rtn":
            raise ConfigError(
                f"Recipe '{recipe.name}' is made by {recipe.method}, which looks at examples",
                'Give questions with pictures: --calibrate DATA. Or set method = "rtn" in the recipe.',
            )
        return recipe
    if any(is_packed(weight) for weight in checkpoint.tensors.values()):
        raise ConfigError(f"{checkpoint.path} is quantized already", "Calibrate the original checkpoint instead.")
    if not looked_at(checkpoint, recipe):
        if recipe.kv == "int8":
            return recipe
        raise ConfigError(
            f"Recipe '{recipe.name}' rounds nothing of the decoder, so examples would change nothing", "Leave them out."
        )
    return replace(recipe, method=best(recipe.group)) if recipe.method == "rtn" else recipe


def best(group: int) -> Method:
    """Return the method that loses least for groups of so many inputs."""
    return "awq+gptq" if group >= COARSE else "gptq"


def quantized_by_method(
    checkpoint: Checkpoint, recipe: Recipe, examples: Path | None, folder: Path, progress: Progress = silent
) -> Calibrated:
    """Quantize by the recipe's method (:func:`with_method`), with ``examples`` of a file or a folder, spread over all
    of it.

    An int8 KV cache gets its scales by the same examples, or by phantoms where there are none (unless the checkpoint
    brings them along). ``folder`` keeps what is done of weights, and the result is read from it.
    :class:`~edgekit.errors.InputError` for examples that can't be read, their pictures among them.
    """
    chosen: Sequence[Example] = spread(read_examples(examples), SAMPLES) if examples else ()
    notes = tuple(_notes(chosen, examples)) if examples else ()
    shown = prompts(checkpoint, chosen) if chosen else []
    errors: Mapping[str, float] = {}
    if shown and recipe.method != "rtn":
        taken = samples(BlockModel(checkpoint, fastest()), shown, progress)
        quantized, errors = calibrated(checkpoint, recipe, taken, folder, progress)
    else:
        quantized = quantize(checkpoint, recipe)
    if recipe.kv == "int8" and not has_cache_scales(quantized.tensors):
        quantized = with_cache_scales(quantized, shown or phantoms(checkpoint), progress)
    tower = None
    if recipe.vision == "int8" and (shown or recipe.vision_ranges == "static"):
        quantized, tower = with_tower(checkpoint, quantized, recipe, pictures(shown or phantoms(checkpoint)), progress)
        notes += tower.notes
    return Calibrated(quantized, notes, errors, tower)


def pictures(shown: Sequence[Prompt]) -> list[Floats]:
    """Prepare some of the pictures of prompts: ``[3, size, size]`` each."""
    pieces = {piece.key: piece for prompt in shown for piece in prompt.images}
    return [piece.pixels() for piece in list(pieces.values())[:PICTURES]]


def spread(examples: Sequence[Example], count: int) -> Sequence[Example]:
    """Take so many of them, at equal distances from all over; all where there are fewer."""
    count = min(count, len(examples))
    return [examples[place * len(examples) // count] for place in range(count)]


def _notes(chosen: Sequence[Example], source: Path) -> list[str]:
    notes = []
    if len(chosen) < SAMPLES:
        notes.append(f"{source} holds {len(chosen)} examples; {SAMPLES} are better")
    without = sum(example.image is None for example in chosen)
    if without:
        notes.append(f"{without} of the {len(chosen)} examples have no picture, and calibrate by their text alone")
    return notes
