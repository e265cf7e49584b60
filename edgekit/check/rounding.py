"""What a component loses where a processor adds products up in float16, one by one: from the lengths of its sums.

Each addition rounds the sum as it stands, by 2.1e-4 of it: the root mean square of float16's rounding. Terms of random
signs let a sum of k of them grow as √j on its way, so that its roundings come to 2.1e-4 · √(k / 2) of the whole.
"""

from __future__ import annotations

from math import pow, sqrt
from typing import Literal, TypeAlias

from edgekit.bundle import Bundle
from edgekit.checkpoint.spec import ModelSpec
from edgekit.engines.base import PartedEngine
from edgekit.onnx_session import multiplies_float16

Sums: TypeAlias = Literal["float32", "gpu", "float16"]
"""How products are added up: in float32, as a GPU pleases, or in float16 one by one."""
_ONE = 2.1e-4
# Measured of 1 to 32 layers that are 256 to 4096 wide (docs/figures.md): 1.7 sums behind one layer with its head, and
# growing a little slower than the layers' cube root, as each adds to a row what it rounds, and to the row's length.
_LAYER = 1.75


def sums_here(bundle: Bundle, engine: PartedEngine) -> Sums:
    """Return how ``engine`` adds up the products of ``bundle``'s graphs."""
    if bundle.manifest.target.kind.activations != "float16":
        return "float32"
    if engine.on_gpu:
        return "gpu"
    return "float16" if multiplies_float16() else "float32"


def of_sum(length: int) -> float:
    """Return the relative error of a sum of ``length`` products of random signs."""
    return _ONE * sqrt(length / 2)


def of_component(name: str, spec: ModelSpec) -> float:
    """Return the relative error that sums in float16 give "vision", "projector" or "decoder" of a model."""
    if name == "projector":
        return of_sum(sum(spec.projector.widths[:-1]))  # errors of one product after another add up in squares
    part = spec.vision if name == "vision" else spec.decoder
    return _LAYER * of_sum(part.hidden) * pow(max(1, part.layers), 1 / 3)
