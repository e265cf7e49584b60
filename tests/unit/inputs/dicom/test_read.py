"""From a file to its picture: what keeps it from being one is said in one line, whoever raised it."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset

from edgekit.errors import DecodeError, InputError, MissingExtra
from edgekit.inputs.dicom.read import read_dicom
from edgekit.inputs.images import load_image
from tests import jpegs
from tests.dicoms import DEEP, RAMP, dataset, deep, encapsulated, encode

JPEG = "1.2.840.10008.1.2.4."


def refused(data: bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        load_image(data)
    assert caught.value.hint
    assert "\n" not in caught.value.message
    return caught.value


def test_without_pydicom_or_a_decoder_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(dataset(RAMP))
    lossless = encapsulated(dataset(RAMP), [jpegs.lossless(RAMP, 12)], JPEG + "70")
    with monkeypatch.context() as patch:
        patch.setattr("pydicom.pixels.decoders.base.Decoder.is_available", False)
        with pytest.raises(MissingExtra, match="JPEG Lossless"):
            load_image(lossless)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(MissingExtra, match="dicom"):
        load_image(data)


def test_what_can_not_be_read_says_why() -> None:
    """Not as a decoder's words, but for one: that is pydicom's."""
    cases: dict[str, Dataset] = {
        "too large": dataset(RAMP, Rows=65_535, Columns=65_535),
        "its pixels take 800 B, of which 700 B are missing": dataset(RAMP, PixelData=RAMP.tobytes()[:100]),
        "Samples per Pixel": dataset(RAMP, SamplesPerPixel=2, PixelData=RAMP.tobytes() * 2),
        "Bits Stored is 17, of 16 that are allocated": dataset(RAMP, BitsStored=17),
        "Photometric Interpretation' value 'MONOCHROME'": dataset(RAMP, PhotometricInterpretation="MONOCHROME"),
    }
    for message, instance in cases.items():
        error = refused(encode(instance))
        assert message in error.message, error.message
        assert isinstance(error, DecodeError) == ("'MONOCHROME'" in message)
    for keyword in ("PhotometricInterpretation", "BitsAllocated", "BitsStored", "PixelRepresentation"):
        instance = dataset(RAMP)
        delattr(instance, keyword)
        assert "issing" in refused(encode(instance)).message


def test_sizes_are_looked_at_before_anything_is_decoded() -> None:
    """The second file's frames hold nothing that could be decoded."""
    asked: list[tuple[int, int]] = []

    def check_size(width: int, height: int) -> None:
        asked.append((width, height))
        raise InputError("too large for here", "Give a smaller one.")

    for data in (encode(deep()), encapsulated(deep(), [b"\0\0"], JPEG + "51")):
        with pytest.raises(InputError, match="too large for here"):
            read_dicom(io.BytesIO(data), "scan.dcm", None, check_size)
    assert asked == [(DEEP.shape[1], DEEP.shape[0])] * 2


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        ("first\n  second Traceback (most recent call last): …", "first second"),
        ("", "ValueError"),
        ("a" * 300, "a" * 300),
        ("a" * 200 + "b" * 200, "a" * 180 + " … " + "b" * 110),
    ],
)
def test_what_others_raise_becomes_one_line(raised: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: Any) -> None:
        raise ValueError(raised)

    monkeypatch.setattr("edgekit.inputs.dicom.read.decode", fail)
    with pytest.raises(DecodeError) as caught:
        read_dicom(io.BytesIO(encode(deep())), "scan.dcm", None, lambda width, height: None)
    assert caught.value.message == f"scan.dcm can't be read as DICOM: {said}"


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damage_ends_in_a_picture_or_one_error(data: st.DataObject) -> None:
    damaged = bytearray(encode(dataset(RAMP[:4, :5], WindowCenter="1000", WindowWidth="900")))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(128, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    damaged = damaged[: data.draw(st.integers(129, len(damaged)))]
    try:
        assert load_image(bytes(damaged)).image.mode == "RGB"
    except InputError as error:
        assert error.hint
        assert "Traceback" not in error.message
