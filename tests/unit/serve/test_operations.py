"""What the child does, without the child."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgekit.checkpoint.spec import ImageSpec
from edgekit.inputs.images import load_image
from edgekit.inputs.kept.keep import keep, masked
from edgekit.inputs.kept.mask import Rectangle
from edgekit.inputs.kept.view import View, png, view
from edgekit.serve.decoded import kept_of, png_of, prepared_of, view_of
from edgekit.serve.messages import pack, unpack
from edgekit.serve.operations import OPERATIONS
from tests.dicoms import RAMP, dataset, deep, encode

SPEC = ImageSpec(size=8, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), fit="pad")
COLOURS = np.stack([RAMP.astype(np.uint8)] * 3, -1) | 3
FILES = {
    "grey": encode(deep(RAMP, WindowCenter="40.5", WindowWidth="300", RescaleSlope="0.5", RescaleIntercept="-7")),
    "frames": encode(dataset(np.stack([RAMP, RAMP + 5]), Modality="US", PixelPaddingValue=5, PixelSpacing=["1", "1"])),
    "colour": encode(dataset(COLOURS)),
}
FILES["png"] = keep(FILES["colour"]).file


def done(op: str, content: bytes, **head: Any) -> tuple[Any, bytes]:
    """An operation's answer, once it has come through the pipe."""
    return unpack(pack(*OPERATIONS[op](head, content, SPEC)))


@pytest.mark.parametrize("kind", FILES)
def test_what_is_done_comes_back_as_it_was(kind: str) -> None:
    content = FILES[kind]
    whole = load_image(content)
    prepared = prepared_of(*done("decode", content, frame=None), SPEC)
    assert (prepared.digest, prepared.notes) == (whole.digest, whole.notes)
    assert (prepared.values == whole.pixels(SPEC)).all()
    kept = keep(content)
    assert kept_of(*done("keep", content)) == kept
    places = [[1, 2, 3, 4], [-1, 0, 2, 1]]
    expected = masked(kept.file, [Rectangle(*place) for place in places])
    assert kept_of(*done("mask", kept.file, rectangles=places)) == expected
    seen, shown = view(kept.file, 0, 9), view_of(*done("view", kept.file, frame=0, side=9))
    if isinstance(seen, View):
        assert isinstance(shown, View)
        assert shown.document() == seen.document()
        assert (shown.pixels == seen.pixels).all()
    else:
        assert shown == seen
    assert png_of(*done("png", kept.file, frame=0, side=9)) == png(kept.file, 0, 9)
    assert max(Image.open(io.BytesIO(png(kept.file, 0, 9))).size) == 9
