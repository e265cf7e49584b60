"""The peak of making a bundle, and of compiling it on the device.

Both stream weights, so that a model's size matters there only through its largest matrix; but a build also asks what it
has made, by an engine that holds all of its weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from edgekit.checkpoint.checkpoint import layer_of
from edgekit.checkpoint.shapes import decoder_shapes
from edgekit.checkpoint.spec import DecoderSpec, ModelSpec
from edgekit.engines.coefficients import Coefficients
from edgekit.engines.kv import arena_shape
from edgekit.plan.components import tensor_bytes
from edgekit.plan.subject import TensorCounts, TensorKind
from edgekit.recipe import Recipe
from edgekit.target.kinds import PROCESSOR, kind_of


@dataclass(frozen=True)
class BuildPeaks:
    """Peak memory in bytes: of a build on a machine with ``cores`` processors, and of compiling on the device.

    A build that compiles, too, is counted with both, since the first process waits for the second; but the most is
    taken by asking the finished graphs, which are not compiled yet, or by the reference that reads the same.
    """

    build_bytes: int
    cores: int
    compile_bytes: int


def build_peaks(cores: int, largest: int, checking: int, table: Coefficients) -> BuildPeaks:
    """Count it from the processors, each of which converts a piece of a matrix at a time, the bytes of the largest
    matrix, which is packed as a whole, and what checking takes (:func:`asking_bytes`, :func:`reading_bytes`)."""
    compiling = table.compile_base.size_bytes + round(table.compile_matrix.ratio * largest)
    compiling = compiling if table.compiled.ratio else 0
    base = table.build_base.size_bytes + cores * table.build_core.size_bytes
    return BuildPeaks(base + max(compiling, checking), cores, compiling)


def asking_bytes(loaded: int, spec: ModelSpec, context: int) -> int:
    """Count an engine of one slot on a CPU over graphs that take ``loaded`` bytes, whatever device they are for."""
    return loaded + arena_shape(spec.decoder, kind_of(PROCESSOR), "activations", 1, context, context).nbytes


def reading_bytes(spec: ModelSpec) -> int:
    """Count the largest block of the model in float32, as the reference reads it: a decoder's layer, or the head."""
    shapes = dict(decoder_shapes(spec.decoder))
    layer = sum(prod(shape) for name, shape in shapes.items() if layer_of(name) == 0)
    return 4 * (layer + prod(shapes["decoder.lm_head.weight"]))


def largest_matrix(tensors: TensorCounts, decoder: DecoderSpec, recipe: Recipe, activation_bytes: int) -> int:
    """Count the bytes of a graph's largest matrix; gate and up lie in it as one, and so do Q, K and V."""
    queries = (decoder.heads + 2 * decoder.kv_heads) * decoder.head_dim
    stacked = [
        TensorKind("decoder", True, (rows, decoder.hidden)) for rows in (decoder.ff * (1 + decoder.gated), queries)
    ]
    every = [*(kind for kind in tensors if kind.matrix and kind.part != "embedding"), *stacked]
    return max(tensor_bytes(kind, recipe, activation_bytes, activation_bytes) for kind in every)
