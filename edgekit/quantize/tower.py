"""What a vision tower's Linears read: the largest of it, and static 8-bit ranges where those are good enough.

A CPU finds the range of every call anew, which costs little. Where an engine wants ranges fixed beforehand, they are
measured on the examples' pictures, and taken only if the tower's output keeps its direction on pictures that are
unlike those, too: fixed ranges cut off what they have never seen (a cosine of 0.925 was met that way; with ranges of
each call 0.9995).
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgekit.blocks import BlockModel, Floats
from edgekit.checkpoint.checkpoint import Checkpoint, Weight
from edgekit.checkpoint.shapes import range_of
from edgekit.checkpoint.spec import ImageSpec
from edgekit.export.export import build_graphs
from edgekit.export.write import write_graph
from edgekit.onnx_session import open_graph, options
from edgekit.progress import Progress, silent
from edgekit.quantize.cache import Held
from edgekit.recipe import Recipe

COSINE = 0.999
"""Of the projector's output with static ranges to the original's, on the worst picture."""


@dataclass(frozen=True)
class TowerInputs:
    """``largest``: the largest absolute value that each Linear of tower and projector read, by its weight's name.
    ``cosine``: the least of static ranges, over examples and pictures unlike them; None where none were tried.
    ``static``: whether they were taken."""

    largest: dict[str, float]
    cosine: float | None = None
    static: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """What was not as asked."""
        if self.cosine is None or self.static:
            return ()
        turned = f"Fixed ranges would turn the tower's output (cosine {self.cosine:.4f}, {COSINE} is asked for)"
        return (f"{turned}: it keeps those of each call",)


def with_tower(
    source: Checkpoint, quantized: Checkpoint, recipe: Recipe, pixels: Sequence[Floats], progress: Progress = silent
) -> tuple[Checkpoint, TowerInputs]:
    """Return ``quantized`` with static ranges for its tower where the recipe asks for them and the output allows it,
    and what was measured on ``pixels``, prepared pictures ``[3, size, size]``."""
    model = BlockModel(source)
    largest = largest_inputs(model, pixels, progress)
    if recipe.vision_ranges == "dynamic":
        return quantized, TowerInputs(largest)
    ranges: dict[str, Weight] = {
        range_of(name): Held(np.array([max(value, 1e-6)], np.float32)) for name, value in largest.items()
    }
    candidate = replace(quantized, tensors={**quantized.tensors, **ranges})
    tried = [*pixels, *unlike(source.spec.image)]
    _, original = model.encode([x[None] for x in tried])
    cosine = min(map(_cosine, original, _by_graph(candidate, tried)))
    static = cosine >= COSINE
    return candidate if static else quantized, TowerInputs(largest, cosine, static)


def largest_inputs(model: BlockModel, pixels: Sequence[Floats], progress: Progress = silent) -> dict[str, float]:
    """Measure what each Linear of tower and projector read at most, over pictures ``[3, size, size]``."""
    rows = [x[None] for x in pixels]
    largest: dict[str, float] = {}
    steps = model.spec.vision.layers + 3
    for done, block in enumerate((*model.tower, model.projector), start=1):
        for at, x in enumerate(rows):
            rows[at], read = block.with_taps(x)
            for name, tap in block.reads.items():
                largest[name] = max(largest.get(name, 0.0), float(np.abs(read[tap]).max()))
        progress("tower", done, steps)
    return largest


def unlike(spec: ImageSpec) -> list[Floats]:
    """Prepare pictures that no hospital has: noise, darkness, a ramp, stripes."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 1, spec.size, dtype=np.float32)
    stripes = (np.arange(spec.size) // 8 % 2).astype(np.float32)
    levels = [
        rng.random((spec.size, spec.size), dtype=np.float32),
        np.zeros((spec.size, spec.size), np.float32),
        np.broadcast_to(ramp, (spec.size, spec.size)),
        np.broadcast_to(stripes, (spec.size, spec.size)),
    ]
    mean, std = (np.array(values, np.float32)[:, None, None] for values in (spec.mean, spec.std))
    white = 255 * spec.scale
    return [((level[None] * white - mean) / std).astype(np.float32) for level in levels]


def _by_graph(checkpoint: Checkpoint, pixels: Sequence[Floats]) -> list[npt.NDArray[np.float32]]:
    """Rows for the decoder, by the graphs that a CPU would run."""
    graphs = build_graphs(checkpoint, "float32", 1)
    with tempfile.TemporaryDirectory(prefix="edgekit-tower-") as folder:
        sessions = []
        for name in ("vision", "projector"):
            write_graph(graphs[name], Path(folder, f"{name}.onnx"))
            sessions.append(open_graph(Path(folder, f"{name}.onnx"), "cpu", options()))
        vision, projector = sessions
        embeds = []
        for x in pixels:
            (features,) = vision.run(["features"], {"pixels": x[None]})
            embeds += projector.run(["embeds"], {"features": features})
    return embeds


def _cosine(embeds: Floats, others: Floats) -> float:
    a, b = embeds.ravel().astype(np.float64), others.ravel().astype(np.float64)
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b) or 1.0))
