"""The reference reads all sequences in one pass: a block of weights at a time, and every sequence through it.

So a 7B model needs one reading of its weights and the memory of one block, beside the sequences' own rows (some
megabytes each). Sequences differ in length and run one by one through each block, in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from edgekit.blocks import Block, BlockModel, Floats
from edgekit.check.forced import common_rows
from edgekit.check.golden import PICTURE
from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.progress import Progress, silent


@dataclass(frozen=True)
class Script:
    """What is read: a prompt's ids with :data:`PICTURE` in it, its picture's index, and the answer that was given."""

    prompt: tuple[int, ...]
    picture: int | None
    answer: tuple[int, ...]


@dataclass(frozen=True)
class ReferenceOutputs:
    """What the reference made of pictures and scripts, float32.

    ``features`` and ``embeds`` ``[pictures, tokens, width]``; ``tokens`` (rising) and their ``rows``
    ``[tokens, hidden]``; ``logits``: for each script ``[len(answer), vocab]``, what it expects at each place.
    """

    features: Floats
    embeds: Floats
    tokens: tuple[int, ...]
    rows: Floats
    logits: tuple[Floats, ...]


def read_all(
    checkpoint: Checkpoint,
    pixels: Floats,
    scripts: Sequence[Script],
    progress: Progress = silent,
    stage: str = "reference",
) -> ReferenceOutputs:
    """Send pictures ``[pictures, 3, size, size]`` and scripts through the whole model, teacher-forced.

    Errors as of reading a checkpoint; progress counts the blocks of ``stage``.
    """
    model = BlockModel(checkpoint)
    spec = checkpoint.spec
    done, total = 0, spec.vision.layers + spec.decoder.layers + 4

    def step() -> None:
        nonlocal done
        done += 1
        progress(stage, done, total)

    features, embeds = _pictures(model, pixels, step)
    tokens = tuple(sorted({token for script in scripts for token in (*script.prompt, *script.answer)} - {PICTURE}))
    rows = model.embed(tokens)
    place = {token: at for at, token in enumerate(tokens)}

    def row(token: int, script: Script) -> Floats:
        if token != PICTURE:
            return rows[place[token] : place[token] + 1]
        assert script.picture is not None, "a prompt with a picture's mark has a picture"
        picture: Floats = embeds[script.picture]
        return picture

    whole = [
        np.concatenate([row(token, script) for token in (*script.prompt, *script.answer[:-1])])[None]
        for script in scripts
    ]
    shared = _shared(scripts, whole)
    hidden = [x[:, common:] for x, (_, common) in zip(whole, shared, strict=True)]
    for index in range(spec.decoder.layers):
        _layer(model.layer(index), hidden, shared)
        step()
    wanted = [x[:, -len(script.answer) :] for x, script in zip(hidden, scripts, strict=True)]
    head = model.head
    logits = tuple(head(x)[0] for x in wanted)
    step()
    return ReferenceOutputs(features, embeds, tokens, rows, logits)


def _shared(scripts: Sequence[Script], whole: Sequence[Floats]) -> list[tuple[int, int]]:
    """For each script the first that is about its picture, and how many rows it begins with alike: these are read once.
    The first itself shares none, and each keeps all rows whose logits are wanted."""
    first: dict[int | None, int] = {}
    shared = []
    for at, (script, x) in enumerate(zip(scripts, whole, strict=True)):
        leader = first.setdefault(script.picture, at)
        most = min(x.shape[1], whole[leader].shape[1]) - len(script.answer)
        common = 0 if leader == at else common_rows(x[0], whole[leader][0], most)
        shared.append((leader if common else at, common))
    return shared


def _layer(layer: Block, hidden: list[Floats], shared: Sequence[tuple[int, int]]) -> None:
    """Every script's own rows through a layer, behind those that it shares."""
    leaders = {leader for at, (leader, common) in enumerate(shared) if common}
    caches: dict[int, tuple[Floats, Floats]] = {}
    for at, (leader, common) in enumerate(shared):  # a leader comes before those that share with it
        if common:
            keys, values = (part[:, :, :common] for part in caches[leader])
            hidden[at] = layer.behind(hidden[at], keys, values)
        elif at in leaders:
            hidden[at], *cache = layer.with_cache(hidden[at])
            caches[at] = cache[0], cache[1]
        else:
            hidden[at] = layer(hidden[at])


def _pictures(model: BlockModel, pixels: Floats, step: Callable[[], None]) -> tuple[Floats, Floats]:
    """Features and embeds of the pictures; of none where every question is text alone."""
    spec = model.spec
    features, embeds = model.encode([pixels[at : at + 1] for at in range(len(pixels))], step)
    widths = spec.projector.widths[0], spec.decoder.hidden
    none, nor_rows = (np.zeros((0, spec.vision.tokens, width), np.float32) for width in widths)
    return np.concatenate([none, *features]), np.concatenate([nor_rows, *embeds])
