"""How each finding changes the attenuation of a chest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgekit.phantom.scene import Finding

Map = NDArray[np.floating[Any]]


def clipped(values: Map) -> Map:
    """Return a soft edge: 0 below 0, 1 above 1."""
    return np.clip(values, np.float32(0), np.float32(1))


def smooth_noise(rng: np.random.Generator, size: int, cells: int) -> Map:
    """Return noise from -1 to 1 that changes over about 1/``cells`` of the picture: [size, size]."""
    coarse = Image.fromarray(rng.uniform(-1, 1, (cells, cells)).astype(np.float32))
    return np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC), np.float32)


@dataclass(frozen=True)
class Body:
    """Where the organs of one patient lie, in body coordinates.

    ``lung``: how far from the middle, height, half width and half height of either lung. ``floor``: height of
    the diaphragm on the patient's left and right. ``heart_place``: middle (u, v), half width and half height.
    """

    u: Map
    v: Map
    lung: tuple[float, float, float, float]
    floor: tuple[float, float]
    heart_place: tuple[float, float, float, float]

    @property
    def size(self) -> int:
        return len(self.v)

    def lung_of(self, sign: int, shrink: float = 1.0) -> Map:
        """Return one lung, 0 to 1; ``sign`` is 1 for the patient's left. ``shrink`` pulls it from the chest wall."""
        away, height, width, tall = self.lung
        across = (sign * self.u - away * (0.86 if shrink < 1 else 1)) / (width * shrink)
        up = (self.v - height - (1 - shrink) * 0.3) / (tall * shrink)
        floor = self.floor[0 if sign > 0 else 1]
        dome = floor - 0.07 + 0.14 * ((sign * self.u - away) / width) ** 2
        return clipped((1 - across**2 - np.abs(up) * up * up) * 5) * clipped((dome - self.v) * 16)

    @cached_property
    def sides(self) -> dict[int, Map]:
        """Either whole lung by its sign."""
        return {sign: self.lung_of(sign) for sign in (1, -1)}

    @cached_property
    def lungs(self) -> Map:
        return np.maximum(self.sides[1], self.sides[-1])

    @cached_property
    def heart(self) -> Map:
        middle, height, width, tall = self.heart_place
        across, up = (self.u - middle) / width, (self.v - height) / tall
        muscle = clipped((1 - across**2 - up**2 + 0.35 * across * up) * 4)
        vessels = clipped((0.13 + 0.03 * self.v - np.abs(self.u - 0.01)) * 20) * clipped((0.3 - self.v) * 8)
        return np.maximum(muscle, vessels)


def add_finding(rng: np.random.Generator, body: Body, finding: Finding, attenuation: Map) -> None:
    """Draw ``finding`` (any but an enlarged heart, which is part of the body) into ``attenuation``."""
    sign = 1 if finding.side == "left" else -1
    _DRAW[finding.kind](rng, body, sign, finding.zone == "upper", attenuation)


def _place(rng: np.random.Generator, body: Body, sign: int, upper: bool, margin: float) -> tuple[float, float]:
    """Somewhere in a zone's lung, clear of the heart, the chest wall and the line between the zones."""
    away, _, width, _ = body.lung
    reach = max(0.0, width - 0.09 - margin)
    if upper:
        return sign * (away + rng.uniform(-reach, reach) * 0.8), rng.uniform(-0.46, -0.12 - margin * 0.4)
    height = rng.uniform(0.07 + margin * 0.3, body.floor[0 if sign > 0 else 1] - 0.06 - margin * 0.6)
    middle, _, heart, _ = body.heart_place
    inner = max(away - reach * 0.8, (middle * sign + heart * 0.9 + margin) if heart < 0.35 or sign > 0 else 0)
    outer = max(away + reach * 0.8, inner)
    return sign * min(rng.uniform(inner, outer), away + width - 0.06), height


def _nodule(rng: np.random.Generator, body: Body, sign: int, upper: bool, attenuation: Map) -> None:
    radius = rng.uniform(0.06, 0.1)
    u, v = _place(rng, body, sign, upper, radius)
    stretch = rng.uniform(0.85, 1.18)
    distance = np.sqrt(((body.u - u) / stretch) ** 2 + ((body.v - v) * stretch) ** 2)
    attenuation += rng.uniform(0.22, 0.34) * clipped((radius - distance) * 30 + 0.5)


def _consolidation(rng: np.random.Generator, body: Body, sign: int, upper: bool, attenuation: Map) -> None:
    radius = rng.uniform(0.17, 0.23)
    u, v = _place(rng, body, sign, upper, radius * 0.6)
    distance = np.sqrt((body.u - u) ** 2 + ((body.v - v) * rng.uniform(0.9, 1.25)) ** 2)
    ragged = distance + 0.06 * smooth_noise(rng, body.size, 18)
    cloud = clipped((radius - ragged) * 7) * (0.75 + 0.25 * smooth_noise(rng, body.size, 40))
    attenuation += rng.uniform(0.2, 0.3) * cloud * body.sides[sign]


def _effusion(rng: np.random.Generator, body: Body, sign: int, upper: bool, attenuation: Map) -> None:
    away, _, width, _ = body.lung
    level = rng.uniform(0.1, 0.22)
    across = (sign * body.u - away + width) / (2 * width)  # 0 beside the heart, 1 at the chest wall
    surface = level - rng.uniform(0.08, 0.2) * np.maximum(across, 0) ** 3
    attenuation += rng.uniform(0.28, 0.36) * body.sides[sign] * (1 - body.heart) * clipped((body.v - surface) * 12)


def _pneumothorax(rng: np.random.Generator, body: Body, sign: int, upper: bool, attenuation: Map) -> None:
    shrunk, whole = body.lung_of(sign, rng.uniform(0.7, 0.8)), body.sides[sign]
    height = clipped((0.02 - body.v) * 6)
    attenuation -= rng.uniform(0.09, 0.14) * whole * (1 - shrunk) * height
    edge = clipped(1 - np.abs(shrunk - 0.4) * 3)  # the pleura, a fine white line
    attenuation += rng.uniform(0.1, 0.16) * edge * whole * height


def _pacemaker(rng: np.random.Generator, body: Body, sign: int, upper: bool, attenuation: Map) -> None:
    u, v = sign * rng.uniform(0.5, 0.62), rng.uniform(-0.5, -0.38)
    wide, tall = rng.uniform(0.1, 0.13), rng.uniform(0.075, 0.1)
    box = np.maximum(np.abs(body.u - u) / wide, np.abs(body.v - v) / tall)
    attenuation += rng.uniform(0.7, 0.95) * clipped((1 - box) * 8)
    heart = body.heart_place
    wire = _curve((u - sign * wide, v), (sign * 0.12, v - rng.uniform(0.0, 0.1)), (heart[0] + 0.05, heart[1] + 0.05))
    attenuation += rng.uniform(0.3, 0.45) * clipped((0.022 - _distance(body, wire)) * 70)


def _tube(rng: np.random.Generator, body: Body, sign: int, upper: bool, attenuation: Map) -> None:
    start = (sign * rng.uniform(0.84, 0.92), rng.uniform(0.28, 0.4))
    end = (sign * rng.uniform(0.3, 0.4), rng.uniform(0.02, 0.12))
    middle = ((start[0] + end[0]) / 2, rng.uniform(0.02, 0.12))
    off = np.abs(_distance(body, _curve(start, middle, end)) - 0.022)
    attenuation += rng.uniform(0.35, 0.5) * clipped((0.016 - off) * 80)  # two walls, seen edge on


def _curve(start: tuple[float, float], middle: tuple[float, float], end: tuple[float, float]) -> NDArray[np.float64]:
    """Points of a quadratic Bézier curve: [points, 2]."""
    t = np.linspace(0, 1, 12)[:, None]
    points: NDArray[np.float64] = (
        (1 - t) ** 2 * np.array(start) + 2 * t * (1 - t) * np.array(middle) + t**2 * np.array(end)
    )
    return points


def _distance(body: Body, points: NDArray[np.float64]) -> Map:
    """How far every pixel is from a line through ``points``."""
    nearest = np.full(body.u.shape, np.float32(9))
    for (au, av), (bu, bv) in pairwise(points):
        du, dv = bu - au, bv - av
        along = clipped(((body.u - au) * du + (body.v - av) * dv) / (du * du + dv * dv))
        np.minimum(nearest, (body.u - au - along * du) ** 2 + (body.v - av - along * dv) ** 2, out=nearest)
    distance: Map = np.sqrt(nearest)
    return distance


_DRAW: dict[str, Callable[[np.random.Generator, Body, int, bool, Map], None]] = {
    "nodule": _nodule,
    "consolidation": _consolidation,
    "effusion": _effusion,
    "pneumothorax": _pneumothorax,
    "pacemaker": _pacemaker,
    "tube": _tube,
}
