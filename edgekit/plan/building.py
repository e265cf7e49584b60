"""The peak of making a bundle, and of compiling it on the device: both stream weights, so that a model's size matters
only through its largest matrix."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.checkpoint.spec import DecoderSpec
from edgekit.plan.coefficients import Coefficients
from edgekit.plan.components import tensor_bytes
from edgekit.plan.subject import Kind, Kinds
from edgekit.recipe import Recipe


@dataclass(frozen=True)
class Building:
    """Peak memory in bytes: of a build on a machine with ``cores`` processors, and of compiling on the device.

    A build that compiles, too, is counted with both, since the first process waits for the second.
    """

    build_bytes: int
    cores: int
    compile_bytes: int


def building(cores: int, largest: int, known: Coefficients) -> Building:
    """From the processors, each of which converts a piece of a matrix at a time, and the bytes of the largest matrix,
    which is packed as a whole."""
    compiling = known.compile_base.size_bytes + round(known.compile_matrix.ratio * largest)
    compiling = compiling if known.compiled.ratio else 0
    return Building(known.build_base.size_bytes + cores * known.build_core.size_bytes + compiling, cores, compiling)


def largest_matrix(found: Kinds, decoder: DecoderSpec, recipe: Recipe, activation_bytes: int) -> int:
    """Bytes of a graph's largest matrix; gate and up lie in it as one, and so do Q, K and V."""
    queries = (decoder.heads + 2 * decoder.kv_heads) * decoder.head_dim
    stacked = [Kind("decoder", True, (rows, decoder.hidden)) for rows in (decoder.ff * (1 + decoder.gated), queries)]
    every = [*(kind for kind in found if kind.matrix and kind.part != "embedding"), *stacked]
    return max(tensor_bytes(kind, recipe, activation_bytes, activation_bytes) for kind in every)
