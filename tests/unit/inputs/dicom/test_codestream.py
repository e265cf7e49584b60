"""Encoded frames are no larger than the DICOM header says, before anything is decoded."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from edgekit.errors import InputError
from edgekit.inputs.dicom import decode
from tests import jpegs
from tests.dicoms import DEEP, RAMP, dataset, encapsulated, read, shades

JPEG = "1.2.840.10008.1.2.4."
EIGHT = (RAMP // 16).astype(np.uint8)


def jpeg_2000(mode: str = "L", size: tuple[int, int] = (20, 20), *, boxes: bool = False) -> bytes:
    stream = io.BytesIO()
    picture = Image.new(mode, size) if size != (20, 20) or mode != "L" else Image.fromarray(EIGHT)
    picture.save(stream, "JPEG2000", no_jp2=not boxes)
    return stream.getvalue()


def jpeg(size: tuple[int, int] = (20, 20), mode: str = "L") -> bytes:
    stream = io.BytesIO()
    Image.new(mode, size).save(stream, "JPEG", comment=b"\xff\xc0 is no marker in here")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("number", "encoded", "reason"),
    [
        ("50", jpeg((40, 30)), "are 30 rows of 40, not 20 of 20"),
        ("50", jpeg(mode="RGB"), "have 3 samples each, not 1"),
        ("50", b"\xff\xd8\xff\xd9", "no header that says how large"),
        ("70", jpegs.lossless(DEEP // 16, 8), "are 2 rows of 4, not 20 of 20"),
        ("90", jpeg_2000(size=(40, 30)), "are 30 rows of 40, not 20 of 20"),
        ("90", jpeg_2000("RGB"), "have 3 samples each, not 1"),
        ("90", jpeg_2000(size=(20, 30), boxes=True), "are 30 rows of 20, not 20 of 20"),
        ("90", jpeg()[:20], "no header that says how large"),
    ],
)
def test_a_codestream_of_another_size_is_refused_before_it_is_decoded(
    monkeypatch: pytest.MonkeyPatch, number: str, encoded: bytes, reason: str
) -> None:
    monkeypatch.setattr(decode, "_by_pydicom", lambda *_, **__: pytest.fail("it was decoded"))
    with pytest.raises(InputError, match=reason):
        read(encapsulated(dataset(EIGHT), [encoded], JPEG + number))


@pytest.mark.parametrize("boxes", [False, True])
def test_jpeg_2000_is_read_bare_and_in_the_boxes_of_its_file_format(boxes: bool) -> None:
    instance = encapsulated(dataset(EIGHT), [jpeg_2000(boxes=boxes)], JPEG + "90")
    np.testing.assert_array_equal(shades(instance), shades(dataset(EIGHT)))


@pytest.mark.parametrize("samples", [0, 2, 4])
@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.8.1", "1.2.840.10008.1.2.1.98"])
def test_a_pixel_has_one_sample_or_three(syntax: str, samples: int) -> None:
    with pytest.raises(InputError, match=f"Samples per Pixel is {samples}, not 1 or 3"):
        read(encapsulated(dataset(EIGHT, SamplesPerPixel=samples), [EIGHT.tobytes()], syntax))
