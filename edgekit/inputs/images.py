"""placeholder"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image


@dataclass(frozen=True)
class Picture:
    """A decoded picture, mode RGB, and a digest of its pixels by which equal pictures are recognised."""

    image: Image.Image
    digest: str
