"""Phantoms made hard to read, so that a model errs: blurred, noisy, of little contrast, and with small findings.

How hard each is, and all that is random in it, hangs on its seed: the same questions are as hard in every run. None is
so hard that nothing is left to see, where the embedded model is sure of what it then makes up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image, ImageFilter

from edgekit.batch.rows import Row
from edgekit.evaluate.asking import QuestionSet
from edgekit.evaluate.phantom_set import phantom_set
from edgekit.inputs.images import Picture
from edgekit.phantom import Asked, Scene, draw
from edgekit.phantom.scene import scene

_LEAST, _MOST = 0.6, 1.1


def hardened(picture: Image.Image, seed: int) -> Image.Image:
    """Return a grey picture made harder by what is drawn from ``seed``."""
    random = np.random.default_rng((seed, 7))
    hard = random.uniform(_LEAST, _MOST)
    side = picture.width
    small = picture.resize((round(side * (1 - 0.04 * hard)),) * 2, Image.Resampling.LANCZOS)
    framed = Image.new("L", picture.size)
    framed.paste(small, ((side - small.width) // 2,) * 2)
    grey = np.asarray(framed.filter(ImageFilter.GaussianBlur(4 * hard)), np.float32) / 255
    grey = 0.5 + (grey - 0.5) * (1 - 0.1 * hard) + 0.3 * hard * random.standard_normal(grey.shape)
    return Image.fromarray(np.rint(255 * np.clip(grey, 0, 1)).astype(np.uint8))


class Hardened:
    """Hard pictures of phantoms by their names; a :class:`~edgekit.batch.pictures.Pictures`."""

    def digests(self, row: Row) -> list[str]:
        """Return the digests of the pixels."""
        return [self.picture(row, number).digest for number in range(len(row.images))]

    def picture(self, row: Row, number: int) -> Picture:
        """Draw a phantom, and make it harder; names are those of :func:`phantom_set`."""
        shown: Scene = scene(int(row.images[number].removeprefix("phantom")))
        return Picture.of(hardened(draw(shown), shown.seed))


def hard_set(asked: Sequence[Asked]) -> QuestionSet:
    """Return the questions ``asked`` about hard pictures of their phantoms."""
    return replace(phantom_set(asked), pictures=Hardened())
