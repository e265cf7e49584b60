"""Elements of a header as numbers, items and words; what can't be used says so."""

from __future__ import annotations

from typing import Any

import pytest

from edgekit.inputs.dicom.header import Unusable, complete, items, numbers, optional, text, title
from tests.dicoms import item


def test_numbers_are_all_of_an_element() -> None:
    header = item(WindowCenter=["1.5", "-2"], Rows=7)
    assert numbers(header, "WindowCenter") == [1.5, -2]
    assert numbers(header, "Rows") == [7]
    assert numbers(header, "WindowWidth") is None
    header.WindowWidth = None
    with pytest.raises(Unusable, match=r"^Window Width is empty$"):
        numbers(header, "WindowWidth")


def test_items_are_at_least_one() -> None:
    header = item(VOILUTSequence=[item(Rows=1), item(Rows=2)], ModalityLUTSequence=[])
    listed = items(header, "VOILUTSequence")
    assert listed is not None
    assert [each.Rows for each in listed] == [1, 2]
    assert items(header, "SharedFunctionalGroupsSequence") is None
    with pytest.raises(Unusable, match=r"is empty$"):
        items(header, "ModalityLUTSequence")


def test_words_are_in_capitals() -> None:
    assert text(item(ImageComments=" inverse "), "ImageComments") == "INVERSE"
    assert text(item(), "ImageComments") == ""
    assert title("PixelPaddingValue") == "Pixel Padding Value"


def test_what_can_not_be_used_is_left_out_and_noted() -> None:
    def fail() -> int:
        raise Unusable("it is odd")

    notes: list[str] = []
    assert optional("The window", lambda: 3, notes) == 3
    assert not notes
    assert optional("The window", fail, notes) is None
    assert notes == ["The window is left out: it is odd."]


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")  # written on purpose
def test_viewers_assume_one_frame_and_one_sample() -> None:
    header, notes = item(PhotometricInterpretation="monochrome2 ", BitsAllocated=8), list[str]()
    complete(header, notes)
    assert (header.NumberOfFrames, header.SamplesPerPixel) == (1, 1)
    assert header.PhotometricInterpretation == "MONOCHROME2"
    assert notes == ["Samples per Pixel is missing: one is assumed."]


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"BitsAllocated": 8}, "Photometric Interpretation is missing"),
        ({"PhotometricInterpretation": "RGB"}, "Bits Allocated is missing"),
        ({"PhotometricInterpretation": "RGB", "BitsAllocated": 8, "SamplesPerPixel": 4}, "Samples per Pixel is 4"),
    ],
)
def test_nobody_assumes_the_rest(elements: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unusable, match=reason):
        complete(item(**elements), [])
