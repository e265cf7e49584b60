"""What each part of a model costs in answers when it alone is quantized: tower and projector, embedding, groups of the
decoder's layers, head.

The model runs once, block by block; beside the original's rows go those of every variant so far, so weights are read
once for all of them. The loss is KL(original || variant) of the next word, in nats, over the text of the samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from edgekit.blocks import BlockModel, Floats
from edgekit.blocks.distributions import Numbers, divergence, log_softmax
from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.inputs.prompt import Prompt, TextPiece
from edgekit.progress import Progress, silent
from edgekit.quantize.quantize import quantize
from edgekit.quantize.samples import Sample, samples
from edgekit.recipe import Recipe

GROUPS = 8
"""Of the decoder's layers, at most: a pass costs half as many readings of every sample as there are groups."""


@dataclass(frozen=True)
class Sensitivity:
    """``losses``: nats by part: "vision" (and projector), "embedding", "lm_head", and "decoder.A-B" for the layers
    A…B; ``layers`` of each of those."""

    losses: dict[str, float]
    layers: dict[str, tuple[int, ...]]


def sensitivity(
    checkpoint: Checkpoint, recipe: Recipe, prompts: Sequence[Prompt], progress: Progress = silent
) -> Sensitivity:
    """Measure each part in the recipe's precision, rounded to nearest, on prompts with their answers."""
    model, rounded = BlockModel(checkpoint), BlockModel(quantize(checkpoint, recipe))
    original = samples(model, prompts, progress)
    rows: dict[str, list[Floats]] = {"": [sample.rows for sample in original]}
    rows |= _other_inputs(model, rounded, prompts, original, progress)
    groups = _groups(model.spec.decoder.layers)
    for index in range(model.spec.decoder.layers):
        block, coarse = model.layer(index), rounded.layer(index).weights
        (group,) = [name for name, layers in groups.items() if index in layers]
        rows.setdefault(group, rows[""])
        for name, before in rows.items():
            rows[name] = [block(x[None], coarse if name == group else None)[0] for x in before]
        progress("sensitivity", index + 1, model.spec.decoder.layers)
    words = [_words(prompt) for prompt in prompts]
    reference = _log_shares(model, rows[""], words)
    losses = {"lm_head": _mean_kl(reference, _log_shares(rounded, rows.pop(""), words))}
    losses |= {name: _mean_kl(reference, _log_shares(model, last, words)) for name, last in rows.items()}
    return Sensitivity(losses, groups)


def _other_inputs(
    model: BlockModel, rounded: BlockModel, prompts: Sequence[Prompt], original: Sequence[Sample], progress: Progress
) -> dict[str, list[Floats]]:
    """Rows by the rounded tower with the original's embedding, and the other way round."""
    coarse = samples(rounded, prompts, progress)
    both = list(zip(map(_words, prompts), original, coarse, strict=True))
    return {
        "vision": [np.where(is_word[:, None], fine.rows, other.rows) for is_word, fine, other in both],
        "embedding": [np.where(is_word[:, None], other.rows, fine.rows) for is_word, fine, other in both],
    }


def _words(prompt: Prompt) -> npt.NDArray[np.bool_]:
    """Which rows of a prompt are text."""
    return np.concatenate([np.full(len(piece), isinstance(piece, TextPiece)) for piece in prompt.pieces])


def _groups(layers: int) -> dict[str, tuple[int, ...]]:
    edges = np.linspace(0, layers, min(GROUPS, layers) + 1).round().astype(int)
    return {f"decoder.{start}-{stop - 1}": tuple(range(start, stop)) for start, stop in pairwise(edges.tolist())}


def _log_shares(model: BlockModel, rows: Sequence[Floats], masks: Sequence[npt.NDArray[np.bool_]]) -> list[Numbers]:
    """Log probabilities of the next word ``[rows, vocab]`` behind the rows of each sample that its mask leaves."""
    return [log_softmax(model.head(sample[mask][None])[0]) for sample, mask in zip(rows, masks, strict=True)]


def _mean_kl(reference: Sequence[Numbers], variant: Sequence[Numbers]) -> float:
    lost = [divergence(p, q) for p, q in zip(reference, variant, strict=True)]
    return max(0.0, float(np.concatenate(lost).mean()))
