"""The peak of making a bundle, and of compiling it on the device: both stream weights, so a model's size hardly
matters."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.plan.coefficients import Coefficients


@dataclass(frozen=True)
class Building:
    """Peak memory in bytes: of a build on a machine with ``cores`` processors, and of compiling on the device."""

    build_bytes: int
    cores: int
    compile_bytes: int


def building(cores: int, known: Coefficients) -> Building:
    """A build converts a piece of a matrix on each processor at a time."""
    peak = known.build_base.size_bytes + cores * known.build_core.size_bytes
    return Building(peak, cores, known.compile_peak.size_bytes)
