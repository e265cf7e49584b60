"""The phantoms that a model is trained on, drawn once and kept: drawing takes longer than a training step on it."""

from __future__ import annotations

import signal
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgekit.machine.system import cores
from edgekit.phantom.draw import draw
from edgekit.phantom.scene import Scene, scene
from edgekit.phantom.split import SEEDS, Split
from edgekit.progress import Progress, silent

_AT_ONCE = 64  # pictures that a process draws before it hands them over


def pictures(split: Split, count: int, size: int, progress: Progress = silent) -> tuple[list[Scene], NDArray[np.uint8]]:
    """Draw the first ``count`` phantoms of a split and return them with their pictures as the model sees them: [count,
    size, size]."""
    seeds = SEEDS[split][:count]
    tasks = [(list(seeds[start : start + _AT_ONCE]), size) for start in range(0, count, _AT_ONCE)]
    drawn = np.empty((count, size, size), np.uint8)
    done = 0
    # Ctrl-C reaches these processes too: they finish what they hold, and the one that waits for them says it. A pool
    # whose processes die all at once writes a traceback.
    quiet = (signal.SIGINT, signal.SIG_IGN)
    with ProcessPoolExecutor(cores(), get_context("spawn"), signal.signal, quiet) as pool:
        for part in pool.map(_draw, tasks):
            drawn[done : done + len(part)] = part
            done += len(part)
            progress(f"drawing {split}", done, count)
    return [scene(seed) for seed in seeds], drawn


def _draw(task: tuple[list[int], int]) -> NDArray[np.uint8]:
    """As a bundle's preprocessing does: bicubic, both edges to ``size``."""
    seeds, size = task
    drawn = (draw(scene(seed)).resize((size, size), Image.Resampling.BICUBIC) for seed in seeds)
    return np.stack([np.asarray(picture) for picture in drawn])
