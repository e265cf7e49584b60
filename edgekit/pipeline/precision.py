"""Quantizing as it is asked for: by a recipe alone, calibrated on examples, within so many bytes.

What an interrupted calibration has done lies beside the place of its result until that is there.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.errors import ConfigError
from edgekit.inputs.examples import Example, read_examples
from edgekit.plan.components import weight_bytes, width
from edgekit.progress import Progress, silent
from edgekit.quantize.calibrate import SAMPLES, Calibrated, quantized_by_method, spread, with_method
from edgekit.quantize.choose import Choice, choose
from edgekit.quantize.sensitivity import Sensitivity, sensitivity
from edgekit.quantize.shown import prompts
from edgekit.quantize.write import write_checkpoint
from edgekit.recipe import Recipe
from edgekit.target import Target

SENSED = 4
"""Examples by which parts are told apart: differences between them are tens to one."""


@dataclass(frozen=True)
class Decided:
    """``recipe``: with the method and the precision of each part; the others where parts were weighed up."""

    recipe: Recipe
    sensitivity: Sensitivity | None = None
    choice: Choice | None = None


@dataclass(frozen=True)
class QuantizedCheckpoint:
    """A checkpoint that was written in a recipe's precision: its folder, its bytes and its source's, and what was not
    as asked, a sentence each."""

    path: Path
    recipe: Recipe
    bytes: int
    source_bytes: int
    notes: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return what was written as JSON has it."""
        return {
            "checkpoint": str(self.path),
            "recipe": self.recipe.name,
            "bytes": self.bytes,
            "source_bytes": self.source_bytes,
        }


def decide(
    source: Checkpoint,
    recipe: Recipe,
    target: Target,
    examples: Path | None,
    fit: int | None,
    progress: Progress = silent,
) -> Decided:
    """Decide by which recipe ``source`` is quantized: with ``fit``, the one that loses least in so many bytes of
    weights in the target's memory. :class:`~edgekit.errors.ConfigError` where that is not possible.
    """
    recipe = with_method(source, recipe, examples)
    if fit is None:
        return Decided(recipe)
    if examples is None:
        raise ConfigError(
            "What each part may lose is measured on examples", "Give questions with pictures: --calibrate DATA."
        )
    losses = sensitivity(source, recipe, prompts(source, spread(read_examples(examples), SENSED)), progress)
    wide = width(target.activations)
    choice = choose(recipe, losses, fit, lambda other: sum(weight_bytes(source, other, wide).values()))
    return Decided(choice.recipe, losses, choice)


def quantized(
    source: Checkpoint, recipe: Recipe, examples: Path | None, out: Path, progress: Progress = silent
) -> Calibrated:
    """Quantize by a recipe that was decided on, for a result at ``out``."""
    return quantized_by_method(source, recipe, examples, _work(out), progress)


def held_out(examples: Path) -> list[Example]:
    """Read the examples that no calibration looked at, all of them where it looked at all."""
    every = read_examples(examples)
    used = set(map(id, spread(every, SAMPLES)))
    return [example for example in every if id(example) not in used] or every


def forget(out: Path) -> None:
    """Remove what was kept for ``out``, which is there now."""
    shutil.rmtree(_work(out), ignore_errors=True)


def quantize_to(
    source: Checkpoint, recipe: Recipe, out: Path, examples: Path | None = None, progress: Progress = silent
) -> QuantizedCheckpoint:
    """Write a checkpoint in the recipe's precision to a new folder ``out``, fitted to the ``examples`` of a file or a
    folder where there are any."""
    recipe = with_method(source, recipe, examples)
    calibrated = quantized(source, recipe, examples, out, progress)
    write_checkpoint(calibrated.checkpoint, recipe, out, progress)
    forget(out)
    size = sum(file.stat().st_size for file in out.iterdir())
    return QuantizedCheckpoint(out, recipe, size, source.bytes, calibrated.notes)


def _work(out: Path) -> Path:
    return out.with_name(f".{out.name}.calibration")
