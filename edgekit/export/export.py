"""From a checkpoint to a bundle's graphs: vision, projector, decoder, and the embedding table beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.errors import ConfigError
from edgekit.export.decoder import build_decoder
from edgekit.export.embedding import embedding
from edgekit.export.graph import Graph
from edgekit.export.lint import require_clean
from edgekit.export.ort import OrtSpelling
from edgekit.export.projector import build_projector
from edgekit.export.spelling import Spelling
from edgekit.export.trt import TrtSpelling
from edgekit.export.vision import build_vision
from edgekit.export.write import write_graph, write_safetensors
from edgekit.progress import Progress, silent
from edgekit.target.kinds import Activations

SPELLINGS: dict[str, type[Spelling]] = {"ort": OrtSpelling, "trt": TrtSpelling}
"""By the names that kinds of engine have for them (:mod:`edgekit.target.kinds`)."""


def export(
    checkpoint: Checkpoint,
    activations: Activations,
    context: int,
    directory: Path,
    progress: Progress = silent,
    spelling: type[Spelling] = OrtSpelling,
) -> None:
    """Write ``graphs/{vision,projector,decoder}.onnx`` and ``embedding.safetensors`` under ``directory``.

    Each Linear is spelled by how its weight is stored; ``activations`` is what the graphs compute in;
    ``context`` is the number of positions that a sequence may have; ``spelling``: for which runtime.
    Raises :class:`ConfigError` when the model was not made for that many, :class:`CheckpointError` for a tensor that is
    missing or unusable, :class:`~edgekit.errors.EngineError` for a graph that TensorRT would refuse.
    """
    graphs = build_graphs(checkpoint, activations, context, spelling)
    folder = directory / "graphs"
    folder.mkdir(parents=True, exist_ok=True)
    for name, graph in graphs.items():
        write_graph(graph, folder / f"{name}.onnx", progress)
        if spelling.read_by:
            require_clean(folder / f"{name}.onnx", spelling.read_by)
    weights, fills = embedding(checkpoint, graphs["decoder"] if spelling.rows_of_int8 else None)
    write_safetensors(directory / "embedding.safetensors", weights, fills, progress=progress)


def build_graphs(
    checkpoint: Checkpoint, activations: Activations, context: int, spelling: type[Spelling] = OrtSpelling
) -> dict[str, Graph]:
    """Build the three graphs, their weights declared and not yet read: cheap for a model of any size."""
    spec = checkpoint.spec
    if context > spec.decoder.context:
        raise ConfigError(
            f"A context of {context} tokens is longer than the model's {spec.decoder.context}",
            f"Set the target's context to at most {spec.decoder.context}.",
        )
    parts: dict[str, Callable[[Spelling], None]] = {
        "vision": lambda say: build_vision(say, spec.vision),
        "projector": lambda say: build_projector(say, spec.projector, spec.vision.tokens),
        "decoder": lambda say: build_decoder(say, spec.decoder, context),
    }
    graphs = {name: Graph(name) for name in parts}
    for name, build in parts.items():
        build(spelling(graphs[name], checkpoint.tensors, np.dtype(activations)))
    return graphs
