"""What a model is calibrated with: rows as its decoder reads them, and how much each counts.

An image's hundreds of rows would swamp the few words that are asked about it: together they count as much as the text
beside them, and none counts more than a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgekit.blocks import BlockModel, Floats
from edgekit.inputs.prompt import ImagePiece, Prompt
from edgekit.progress import Progress, silent


@dataclass(frozen=True)
class Sample:
    """``rows`` float32 ``[length, hidden]``, ``weights`` float32 ``[length]``."""

    rows: Floats
    weights: Floats


def samples(model: BlockModel, prompts: Sequence[Prompt], progress: Progress = silent) -> list[Sample]:
    """Turn prompts (with their answers) into what the decoder reads; every picture goes through the tower once."""
    pieces = {piece.key: piece for prompt in prompts for piece in prompt.images}
    pictures = dict(zip(pieces, _encoded(model, list(pieces.values()), progress), strict=True))
    return [_sample(model, prompt, pictures) for prompt in prompts]


def _encoded(model: BlockModel, pieces: Sequence[ImagePiece], progress: Progress) -> list[Floats]:
    """Each picture's rows ``[tokens, hidden]``; a block is read once for all of them."""
    if not pieces:
        return []
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        progress("pictures", done, model.spec.vision.layers + 3)

    _, embeds = model.encode([piece.pixels()[None] for piece in pieces], step)
    return [rows[0] for rows in embeds]


def _sample(model: BlockModel, prompt: Prompt, pictures: dict[str, Floats]) -> Sample:
    words = sum(len(piece) for piece in prompt.pieces if not isinstance(piece, ImagePiece))
    seen = max(1, len(prompt) - words)
    image_weight = np.float32(min(1.0, words / seen))
    rows, weights = [], []
    for piece in prompt.pieces:
        is_image = isinstance(piece, ImagePiece)
        rows.append(pictures[piece.key] if isinstance(piece, ImagePiece) else model.embed(piece.ids))
        weights.append(np.full(len(piece), image_weight if is_image else 1, np.float32))
    return Sample(np.concatenate(rows), np.concatenate(weights))
