"""What a phantom shows: up to three findings in known places, drawn from a seed.

Sides are the patient's, as a radiograph is read: the patient's left is on the right of the picture. Each
side has an upper and a lower zone, and a zone holds one finding at most, so every question has one answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Kind = Literal["heart", "nodule", "consolidation", "effusion", "pneumothorax", "pacemaker", "tube"]
Side = Literal["left", "right"]
Zone = Literal["upper", "lower"]

# In the order in which a description names them.
KINDS: tuple[Kind, ...] = ("heart", "nodule", "consolidation", "effusion", "pneumothorax", "pacemaker", "tube")
DEVICES: tuple[Kind, ...] = ("pacemaker", "tube")
SIDES: tuple[Side, ...] = ("left", "right")
ZONES: tuple[Zone, ...] = ("upper", "lower")

# Where each kind lies: fluid sinks, air rises, a pacemaker sits below the collar bone, a drain enters from below.
ZONES_OF: dict[Kind, tuple[Zone, ...]] = {
    "nodule": ZONES,
    "consolidation": ZONES,
    "effusion": ("lower",),
    "pneumothorax": ("upper",),
    "pacemaker": ("upper",),
    "tube": ("lower",),
}
# How often a scene has no, one, two and three findings.
_COUNTS = (0.16, 0.28, 0.28, 0.28)


@dataclass(frozen=True)
class Finding:
    """One finding. An enlarged heart has neither side nor zone."""

    kind: Kind
    side: Side | None = None
    zone: Zone | None = None


@dataclass(frozen=True)
class Scene:
    """The findings of one phantom, in the order of :data:`KINDS`; ``seed`` also draws all that is no finding."""

    seed: int
    findings: tuple[Finding, ...]

    def find(self, kind: Kind) -> Finding | None:
        """Return the finding of this kind, of which there is one at most."""
        return next((finding for finding in self.findings if finding.kind == kind), None)

    def at(self, side: Side, zone: Zone) -> Finding | None:
        """Return what lies in a zone."""
        return next((finding for finding in self.findings if (finding.side, finding.zone) == (side, zone)), None)

    def on(self, side: Side) -> tuple[Finding, ...]:
        """Return what lies on a side."""
        return tuple(finding for finding in self.findings if finding.side == side)


def scene(seed: int) -> Scene:
    """Return the scene that belongs to ``seed``, the same on every machine."""
    rng = np.random.default_rng((seed, 0))
    wanted = int(rng.choice(len(_COUNTS), p=_COUNTS))
    findings: list[Finding] = []
    for index in rng.permutation(len(KINDS)):
        kind = KINDS[index]
        if len(findings) == wanted:
            break
        if kind == "heart":
            findings.append(Finding(kind))
            continue
        free = [
            (side, zone)
            for side in SIDES
            for zone in ZONES_OF[kind]
            if all((finding.side, finding.zone) != (side, zone) for finding in findings)
        ]
        if free:
            side, zone = free[rng.integers(len(free))]
            findings.append(Finding(kind, side, zone))
    return Scene(seed, tuple(sorted(findings, key=lambda finding: KINDS.index(finding.kind))))
