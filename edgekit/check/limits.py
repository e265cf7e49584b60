"""The figures that a gate limits, each with its limit."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

from edgekit import config
from edgekit.bundle import Bundle
from edgekit.check.components import ComponentFigures
from edgekit.check.golden import Golden
from edgekit.check.measure import UNUSABLE, Figures
from edgekit.check.rounding import Sums, of_component
from edgekit.checkpoint.spec import ModelSpec
from edgekit.recipe import Gate

# Beside the same arithmetic, however the weights are stored. Measured: image 0.0002 (float16 rounds so), embedding
# 0.0003; a mean that is wrong by 0.01 gives the image 0.03. Other versions of Pillow may round a shade otherwise.
_IMAGE, _EMBEDDING = 0.004, 0.002
# Beside what the building engine had: other processors round otherwise, but none twice as much. GPUs have not been
# measured: adding 16 products at a time, as their tensor cores do in float16, is by the law of rounding.py a quarter of
# one by one, 0.013 of 32 layers that are 4096 wide.
_TWICE, _NOISE, _NOISE_OF_GPUS = 2.0, 0.005, 0.02
# Beside what sums in float16 are off by: outliers in front of a sum make it √2 of that. At most 0.0024 was measured of
# what they change of the answers' size, however wide and deep the model; a fault there hides in their noise otherwise.
_ROUNDING, _GAIN = 1.5, 0.01
# Of what sums in float16 are off by, what rows have alike that are alike themselves: 0.22 where 0.94 of them is.
_ALIKE = 0.25
_CHANCE = 2
"""Decided positions that may go another way by chance: of ten positions, one is a tenth."""


@dataclass(frozen=True)
class Limit:
    """``measured`` may be at most ``limit``, or with ``least`` must be at least that."""

    name: str
    measured: float
    limit: float
    least: bool = False

    @property
    def passed(self) -> bool:
        return self.measured >= self.limit if self.least else self.measured <= self.limit

    @property
    def badness(self) -> float:
        """1 at the limit, more beyond it."""
        if self.least:
            return (1 - self.measured) / (1 - self.limit) if self.limit < 1 else float(self.measured < 1) * UNUSABLE
        return self.measured / self.limit if self.limit else float(self.measured > 0) * UNUSABLE

    @property
    def text(self) -> str:
        """As in: KL 0.12, at most 0.05."""
        word = "at least" if self.least else "at most"
        return f"{self.name} {self.measured:.3g}, {word} {self.limit:.3g}"

    def document(self) -> dict[str, Any]:
        """Return the limit as JSON has it."""
        return {**config.dump(self), "passed": self.passed}


def whole_limits(figures: Figures, gate: Gate) -> tuple[Limit, ...]:
    """Return what whole answers must keep."""
    agreement = max(0.0, gate.top1 - _CHANCE / max(1, figures.decided))
    return (
        Limit("top-1 where decided", figures.top1_decided, agreement, least=True),
        Limit("KL", figures.kl, gate.kl),
        Limit("perplexity ratio", figures.perplexity_ratio, gate.perplexity),
    )


def component_limits(
    measured: ComponentFigures, golden: Golden, bundle: Bundle, gate: Gate, *, sums: Sums
) -> tuple[Limit, ...]:
    """Return what one component must keep; ``sums``: how products were added up here."""
    if measured.name in ("image", "template"):
        return (Limit("error", measured.error, _IMAGE if measured.name == "image" else 0.0),)
    if measured.name == "embedding":
        return (Limit("error", measured.error, _EMBEDDING), Limit("loss", measured.loss, gate.loss))
    spec, in_float16 = bundle.manifest.spec, sums == "float16"
    limits = [Limit("error", measured.error, _most_error(measured.name, golden, spec, gate, sums))]
    if in_float16 and measured.gain is not None:
        limits.append(Limit("gain", abs(measured.gain), _GAIN))
    if measured.name == "decoder":
        return (*limits, Limit("KL", measured.kl or 0.0, gate.kl))
    limits.append(Limit("loss", measured.loss, gate.loss))
    if measured.name == "projector" and measured.offset is not None:
        # Noise averages out over a picture's rows, a bias doesn't: this limit is far below that of the error.
        share = 1.5 / sqrt(spec.tokens_per_image)
        noise = measured.error * (max(share, _ALIKE) if in_float16 else share)
        limits.append(Limit("offset", measured.offset, gate.offset + noise))
    return tuple(limits)


def _most_error(name: str, golden: Golden, spec: ModelSpec, gate: Gate, sums: Sums) -> float:
    """What sums in float16 are off by comes on top of the gate, which knows nothing of the processor."""
    at_build = golden.errors.get(name)
    noise = _NOISE_OF_GPUS if sums == "gpu" else _NOISE
    most = min(gate.error, _TWICE * at_build + noise) if at_build else gate.error
    return most + _ROUNDING * of_component(name, spec) if sums == "float16" else most
