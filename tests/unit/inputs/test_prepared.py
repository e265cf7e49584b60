"""A prepared picture in a whole one's place: the same rows under the same keys, for one model alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from edgekit.checkpoint.spec import ImageSpec
from edgekit.errors import InputError
from edgekit.inputs.images import Picture
from edgekit.inputs.prepared import PreparedPicture
from edgekit.inputs.preprocess import preprocess
from edgekit.inputs.prompt import ImagePiece

SPEC = ImageSpec(size=28, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4), fit="pad")
PICTURE = replace(
    Picture.of(Image.fromarray(np.random.default_rng(3).integers(0, 256, (31, 40, 3), np.uint8))), notes=("A note.",)
)
OTHERS: dict[str, Callable[[ImageSpec], ImageSpec]] = {
    "size": lambda spec: replace(spec, size=56),
    "mean": lambda spec: replace(spec, mean=(0.5, 0.4, 0.2)),
    "fit": lambda spec: replace(spec, fit="crop"),
}


def test_caches_and_towers_see_no_difference() -> None:
    whole, prepared = (ImagePiece(picture, SPEC, 4) for picture in (PICTURE, PreparedPicture.of(PICTURE, SPEC)))
    assert prepared.keys == whole.keys
    assert prepared.pixels().tobytes() == whole.pixels().tobytes() == preprocess(PICTURE.image, SPEC).tobytes()
    assert prepared.pixels().dtype == np.float32


def test_what_was_done_to_draw_it_is_still_said() -> None:
    assert PreparedPicture.of(PICTURE, SPEC).notes == ("A note.",)


@pytest.mark.parametrize("change", OTHERS)
def test_another_models_picture_is_refused(change: str) -> None:
    prepared, other = PreparedPicture.of(PICTURE, SPEC), OTHERS[change](SPEC)
    with pytest.raises(InputError, match="another model"):
        prepared.pixels(other)
    assert prepared.pixels(replace(SPEC)) is prepared.values


def test_equal_ones_are_of_equal_pictures_for_one_model() -> None:
    prepared = PreparedPicture.of(PICTURE, SPEC)
    assert len({prepared, PreparedPicture.of(Picture.of(PICTURE.image), SPEC)}) == 1
    assert prepared != PreparedPicture.of(PICTURE, OTHERS["fit"](SPEC))
    assert prepared != PreparedPicture.of(Picture.of(PICTURE.image.rotate(90)), SPEC)
    assert prepared != PICTURE
