"""What a header gives reasons to suspect."""

from __future__ import annotations

import pytest

from edgekit.inputs.kept.burned_in import UNKNOWN, warnings_of
from edgekit.inputs.kept.picture import PictureWarning, Reason
from edgekit.inputs.kept.terms import Attributes

CT, CAPTURE = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.7"


@pytest.mark.parametrize(
    ("sop_class", "terms", "reasons"),
    [
        (CT, {"Modality": ("CT",)}, ()),
        (CT, {"Modality": ("CT",), "BurnedInAnnotation": ("NO",)}, ()),
        (CT, {"BurnedInAnnotation": ("YES",)}, ("attribute",)),
        *((CT, {"Modality": (modality,)}, ("modality",)) for modality in ("US", "XA", "OT", "SC", "ES", "RF", "XC")),
        (CT, {"Modality": ("US",), "BurnedInAnnotation": ("NO",)}, ("modality",)),
        (CAPTURE, {}, ("secondary_capture",)),
        (CAPTURE + ".4", {}, ("secondary_capture",)),
        (CAPTURE + "7.1.1", {}, ()),  # 77.1.1: endoscopes, whose modality tells
        (CT, {"ConversionType": ("DF",)}, ("secondary_capture",)),
        (CT, {"ImageType": ("DERIVED", "SECONDARY")}, ()),
        (CT, {"ImageType": ("DERIVED", "SECONDARY", "SCREEN SAVE")}, ("secondary_capture",)),
        (
            CAPTURE,
            {"Modality": ("OT",), "BurnedInAnnotation": ("YES",)},
            ("attribute", "modality", "secondary_capture"),
        ),
    ],
)
def test_reasons(sop_class: str, terms: Attributes, reasons: tuple[Reason, ...]) -> None:
    assert warnings_of(sop_class, terms) == ((PictureWarning("burned_in", reasons),) if reasons else ())


def test_of_other_formats_nobody_knows() -> None:
    assert UNKNOWN.code == "burned_in_unknown"
