"""From a user's own questions and pictures to a calibrated checkpoint: ``--calibrate DATA``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from edgekit.blocks import BlockModel
from edgekit.checkpoint.checkpoint import Checkpoint, component, is_matrix, layer_of
from edgekit.checkpoint.packed import is_packed
from edgekit.checkpoint.tokenizer import parse_tokenizer
from edgekit.errors import ConfigError
from edgekit.inputs.examples import Example, read_examples
from edgekit.inputs.images import load_image
from edgekit.inputs.prompt import Prompt, Turn, build
from edgekit.progress import Progress, silent
from edgekit.quantize.calibrated import calibrated
from edgekit.quantize.samples import samples
from edgekit.recipe import Method, Recipe

SAMPLES = 32
"""Examples that are read. A 7B model takes about two minutes for each on two cores, a small one a second."""
BEST: Method = "awq+gptq"


@dataclass(frozen=True)
class Calibrated:
    """``checkpoint`` and ``errors``: as :func:`~edgekit.quantize.calibrated.calibrated` gives them; ``notes``: what was
    not as asked, a sentence each."""

    checkpoint: Checkpoint
    notes: tuple[str, ...] = ()
    errors: Mapping[str, float] = field(default_factory=dict)


def with_method(checkpoint: Checkpoint, recipe: Recipe, data: Path | None) -> Recipe:
    """The recipe with the method that it will be done by: its own, or the best where there is data and it names none.

    :class:`ConfigError` where the method wants data and there is none, or data would be of no use.
    """
    if data is None:
        if recipe.method != "rtn":
            raise ConfigError(
                f"Recipe '{recipe.name}' is made by {recipe.method}, which looks at examples",
                'Give questions with pictures: --calibrate DATA. Or set method = "rtn" in the recipe.',
            )
        return recipe
    wanted = [
        name
        for name in checkpoint.tensors
        if is_matrix(name) and recipe.precision(component(name), layer_of(name)) == "int4"
    ]
    if not wanted:
        raise ConfigError(f"Recipe '{recipe.name}' has no int4, so examples would change nothing", "Leave them out.")
    if any(is_packed(checkpoint.tensors[name]) for name in wanted):
        raise ConfigError(f"{checkpoint.path} is quantized already", "Calibrate the original checkpoint instead.")
    return replace(recipe, method=BEST) if recipe.method == "rtn" else recipe


def calibrate(
    checkpoint: Checkpoint, recipe: Recipe, data: Path, folder: Path, progress: Progress = silent
) -> Calibrated:
    """Quantize by the recipe's method (:func:`with_method`), with examples of ``data``, spread over all of it.

    ``folder`` keeps what is done, and the result is read from it. :class:`~edgekit.errors.InputError` for data that
    can't be read, pictures among it.
    """
    chosen = spread(read_examples(data), SAMPLES)
    prompts = prompts_of(checkpoint, chosen)
    taken = samples(BlockModel(checkpoint), prompts, progress)
    made, errors = calibrated(checkpoint, recipe, taken, folder, progress)
    return Calibrated(made, tuple(_notes(chosen, data)), errors)


def spread(examples: Sequence[Example], count: int) -> Sequence[Example]:
    """So many of them, from all over."""
    return examples[:: max(1, len(examples) // count)][:count]


def prompts_of(checkpoint: Checkpoint, examples: Sequence[Example]) -> list[Prompt]:
    """Questions with pictures and answers in the model's own template."""
    tokenizer = parse_tokenizer(checkpoint.tokenizer_json, str(checkpoint.path / "tokenizer.json"))
    pictures = {example.image: load_image(example.image) for example in examples if example.image}
    made = []
    for example in examples:
        images = (pictures[example.image],) if example.image else ()
        made.append(build(checkpoint.spec, tokenizer, [Turn(example.question, example.answer, images)]))
    return made


def _notes(chosen: Sequence[Example], data: Path) -> list[str]:
    notes = []
    if len(chosen) < SAMPLES:
        notes.append(f"{data} holds {len(chosen)} examples; {SAMPLES} are better")
    without = sum(example.image is None for example in chosen)
    if without:
        notes.append(f"{without} of the {len(chosen)} examples have no picture, and calibrate by their text alone")
    return notes
