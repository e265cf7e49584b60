"""Coded words: those that stand in the list, however they are written, and no others."""

from __future__ import annotations

import pytest

from edgekit.inputs.kept.terms import TERMS, read_terms
from tests.dicoms import item


@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, about words in small letters
@pytest.mark.parametrize(
    ("keyword", "value", "kept"),
    [
        ("Modality", "CT", ("CT",)),
        ("Modality", " us ", ("US",)),
        ("Modality", "DOE", ()),
        ("BodyPartExamined", "CHEST", ("CHEST",)),
        ("BodyPartExamined", "C-Spine", ("CSPINE",)),
        ("BodyPartExamined", "WHOLE BODY", ("WHOLEBODY",)),
        ("BodyPartExamined", "CHEST MR DOE", ()),
        ("BodyPartExamined", "", ()),
        ("ViewPosition", "PA", ("PA",)),
        ("ViewPosition", "MLO", ("MLO",)),
        ("ViewPosition", "JOHN", ()),
        ("ImageLaterality", "L", ("L",)),
        ("Laterality", "LEFT", ()),
        ("PatientOrientation", ["L", "F"], ("L", "F")),
        ("PatientOrientation", ["LA", "HPR"], ("LA", "HPR")),
        ("PatientOrientation", ["L", "DOE"], ()),
        ("PatientOrientation", ["LL", "F"], ()),
        ("BurnedInAnnotation", "YES", ("YES",)),
        ("BurnedInAnnotation", "DOE", ()),
        ("ConversionType", "WSD", ("WSD",)),
        ("ImageType", ["DERIVED", "SECONDARY", "SCREEN SAVE", "DOE"], ("DERIVED", "SECONDARY", "SCREEN SAVE")),
        ("LossyImageCompression", "01", ("01",)),
        ("PatientName", "CHEST", ()),
    ],
)
def test_words(keyword: str, value: str | list[str], kept: tuple[str, ...]) -> None:
    terms = read_terms(item(**{keyword: value}))
    assert terms == ({keyword: kept} if kept else {})


def test_an_element_that_is_no_text_is_none() -> None:
    header = item()
    header.add_new("Modality", "US", 7)
    header.add_new("BodyPartExamined", "SQ", [item(Modality="CT")])
    assert read_terms(header) == {}
    assert "Modality" in TERMS
