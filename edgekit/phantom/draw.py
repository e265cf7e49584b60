"""Draw a scene: a chest-like picture in which everything that is no finding varies from seed to seed.

The picture is computed as a map of attenuation over body coordinates (u, v): (0, 0) is the middle of the
chest, u = ±1 are near the picture's edges, v grows downwards, u > 0 is the patient's left. Attenuation adds up;
exposure then turns it into grey values, white where little passes. Nothing in it comes from a patient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgekit.phantom.findings import Body, add_finding, clipped, smooth_noise
from edgekit.phantom.scene import Scene

Map = NDArray[np.floating[Any]]

SIZE = 224
# The picture shows v from -0.95 to 0.67: little of the belly.
_TALL, _ABOVE = 0.81, 0.14


@dataclass(frozen=True, kw_only=True)
class _View:
    """How the patient stood and was exposed."""

    angle: float
    scale: tuple[float, float]
    shift: tuple[float, float]
    density: float
    gamma: float
    level: tuple[float, float]
    noise: float


def draw(scene: Scene, size: int = SIZE) -> Image.Image:
    """Draw the scene as a grey picture of ``size``² pixels (mode "L"); the same seed draws the same picture."""
    rng = np.random.default_rng((scene.seed, 1))
    view = _view(rng)
    body = _body(rng, *_coordinates(view, size), enlarged=scene.find("heart") is not None)
    attenuation = _chest(rng, body)
    for finding in scene.findings:
        if finding.kind != "heart":
            add_finding(rng, body, finding, attenuation)
    return Image.fromarray(_expose(rng, view, attenuation))


def _view(rng: np.random.Generator) -> _View:
    low = rng.uniform(0.0, 0.08)
    return _View(
        angle=float(np.radians(rng.uniform(-7, 7))),
        scale=(rng.uniform(0.9, 1.06), rng.uniform(0.9, 1.06)),
        shift=(rng.uniform(-0.06, 0.06), rng.uniform(-0.06, 0.06)),
        density=rng.uniform(1.5, 2.3),
        gamma=rng.uniform(0.8, 1.3),
        level=(low, rng.uniform(0.85, 1.0)),
        noise=rng.uniform(0.008, 0.035),
    )


def _coordinates(view: _View, size: int) -> tuple[Map, Map]:
    """Body coordinates of every pixel's centre: two maps of [size, size]."""
    axis = ((np.arange(size, dtype=np.float32) + 0.5) * (2 / size) - 1).astype(np.float32)
    x, y = (axis - np.float32(view.shift[0]))[None, :], (axis - np.float32(view.shift[1]))[:, None]
    cos, sin = np.float32(np.cos(view.angle)), np.float32(np.sin(view.angle))
    across, down = (cos * x + sin * y) / np.float32(view.scale[0]), (cos * y - sin * x) / np.float32(view.scale[1])
    return across, np.float32(_TALL) * down - np.float32(_ABOVE)


def _body(rng: np.random.Generator, u: Map, v: Map, *, enlarged: bool) -> Body:
    """The lungs and the heart of one patient; an enlarged heart is wider than any that is not, by a third at least."""
    lung = (rng.uniform(0.40, 0.44), rng.uniform(-0.08, -0.02), rng.uniform(0.29, 0.33), rng.uniform(0.66, 0.74))
    floor = (rng.uniform(0.38, 0.46), rng.uniform(0.36, 0.44))  # the diaphragm under the patient's left and right
    width = rng.uniform(0.40, 0.46) if enlarged else rng.uniform(0.24, 0.30)
    heart = (rng.uniform(0.07, 0.12), rng.uniform(0.18, 0.24), width, rng.uniform(0.27, 0.33))
    return Body(u, v, lung, floor, heart)


def _chest(rng: np.random.Generator, body: Body) -> Map:
    """Soft tissue, lungs, heart, spine, ribs and collar bones: attenuation from 0 to about 1."""
    u, v = body.u, body.v
    across = np.abs(u)
    trunk = clipped((rng.uniform(0.86, 0.94) + 0.06 * v - across) * 14)
    neck = clipped((rng.uniform(0.22, 0.3) - across) * 10)
    shoulders = clipped((v + 0.98 - 0.35 * across) * 9)
    trunk *= np.maximum(shoulders, neck)
    total = rng.uniform(0.52, 0.6) * trunk
    lungs = body.lungs
    total *= 1 - rng.uniform(0.58, 0.72) * lungs
    total += lungs * rng.uniform(0.02, 0.05) * smooth_noise(rng, body.size, 22)  # vessels
    total += rng.uniform(0.30, 0.36) * body.heart * np.maximum(lungs, 0.25)
    total += rng.uniform(0.08, 0.16) * clipped((rng.uniform(0.09, 0.12) - across) * 24) * trunk  # spine
    total += rng.uniform(0.05, 0.1) * _ribs(rng, body) * trunk
    total += rng.uniform(0.06, 0.12) * _collar_bones(rng, body) * trunk
    return total


def _ribs(rng: np.random.Generator, body: Body) -> Map:
    across = np.abs(body.u)
    bend, spacing, phase = rng.uniform(0.25, 0.5), rng.uniform(0.17, 0.22), rng.uniform(0, 1)
    wave = np.cos(
        (body.v - bend * (across - 0.25) - phase * spacing + 0.5 * (across - 0.3) ** 2) * (2 * np.pi / spacing)
    )
    cage = clipped((0.8 - across) * 12) * clipped((across - 0.1) * 12) * clipped((0.6 - body.v) * 8)
    return clipped(wave * 2.5 - 1.1) * cage


def _collar_bones(rng: np.random.Generator, body: Body) -> Map:
    across = np.abs(body.u)
    height = rng.uniform(-0.74, -0.68) - rng.uniform(0.1, 0.25) * (across - 0.3)
    return (
        clipped((0.03 - np.abs(body.v - height)) * 50) * clipped((across - 0.08) * 12) * clipped((0.75 - across) * 12)
    )


def _expose(rng: np.random.Generator, view: _View, attenuation: Map) -> NDArray[np.uint8]:
    grey = 1 - np.exp(-np.float32(view.density) * np.maximum(attenuation, 0))
    grey = (grey / np.float32(1 - np.exp(-view.density))) ** np.float32(view.gamma)
    low, high = view.level
    grey = low + (high - low) * grey + view.noise * rng.standard_normal(attenuation.shape, dtype=np.float32)
    shades: NDArray[np.uint8] = np.rint(255 * np.clip(grey, 0, 1)).astype(np.uint8)
    return shades
