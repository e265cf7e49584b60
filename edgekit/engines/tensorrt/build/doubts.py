"""What TensorRT made otherwise than it should have: attention that is not fused, weights that are not narrow, scratch
that was not planned.

Such plans answer rightly, but take the memory or the time that the plan of the bundle says they don't; nothing else
would tell before a profile on the device. Only what is certain is said: TensorRT may leave small attention as it is,
and a release that doesn't name its kernels tells nothing about them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from edgekit.checkpoint.spec import ModelSpec
from edgekit.engines.backend import PlanRecord
from edgekit.units import MIB, format_bytes

_HEAD = 64
"""The narrowest head of the published models, all of whose attention is fused; narrower ones are of toys."""
_RATIO, _SLACK = 1.3, 32 * MIB
"""Plans are 1.02 to 1.06 of their graphs' weights (docs/tensorrt.md), and hold kernels of some MiB besides."""
_USES = ("reading a prompt", "a step of decoding")


def attention(spec: ModelSpec) -> dict[str, int]:
    """Return the layers of attention of each graph that has any, in all profiles of its plan together."""
    return {"vision": spec.vision.layers, "decoder": len(_USES) * spec.decoder.layers}


def doubts(
    graphs: Path, spec: ModelSpec, records: Mapping[str, PlanRecord], planned: Mapping[str, int]
) -> tuple[str, ...]:
    """Return a sentence for each thing that is not as it should be with the plans of the graphs in a folder;
    ``planned`` has the bytes that a plan of memory gives its components."""
    scratch = {name: planned.get(f"{name}_activations") for name in ("vision", "decoder")}
    sentences: list[str] = []
    for name, record in records.items():
        sentences += _unfused(name, spec, record.fused)
        weights = (graphs / f"{name}.onnx.data").stat().st_size
        used, expected = max(record.activation_bytes, default=0), scratch.get(name)
        if expected is not None and _more(used, expected):
            sentences.append(
                f"{name}.plan takes {format_bytes(used)} of scratch, and {format_bytes(expected)} was planned: "
                "TensorRT writes attention's scores, or widened weights, to the GPU's memory, which takes time as well."
            )
        if _more(record.bytes, weights):
            sentences.append(
                f"{name}.plan takes {format_bytes(record.bytes)}, {record.bytes / weights:.1f} times its graph's "
                f"weights ({format_bytes(weights)}): TensorRT has widened them or keeps them more than once, so that "
                "they take more of the GPU's memory than was planned, and more time."
            )
    return tuple(sentences)


def _more(size: int, expected: int) -> bool:
    return size > max(_RATIO * expected, expected + _SLACK)


def _unfused(name: str, spec: ModelSpec, fused: tuple[int, ...]) -> Iterator[str]:
    layers = attention(spec).get(name, 0)
    head = spec.vision.head_dim if name == "vision" else spec.decoder.head_dim
    if not fused or not layers or head < _HEAD:
        return
    each = layers // len(fused)
    apart = len(fused) == len(_USES)  # else there is one profile, or TensorRT cut the network: only the sum is known
    for index, count in enumerate(fused):
        if count < each:
            subject = f"{name}.plan, {_USES[index]}" if apart else f"{name}.plan"
            yield (
                f"{subject}: attention is fused in {count} of {each} layers; the others write their scores to the "
                "GPU's memory, which takes more of it and more time."
            )
