"""What a child may say, and what of it is believed."""

from __future__ import annotations

from typing import Any

import pytest

from edgekit import config
from edgekit.checkpoint.spec import ImageSpec
from edgekit.inputs.kept.picture import DICOM, PNG, PictureFacts
from edgekit.serve.decoded import kept_of, png_of, prepared_of, view_of

SPEC = ImageSpec(size=8, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), fit="pad")
SIGN = b"\x89PNG\r\n\x1a\n"
PIXELS = bytes(4 * 3 * 64)
FACTS = config.dump(PictureFacts(width=3, height=2, frames=1, bits=8, colour=False, window=(1.0, 2.0)))
KEPT = {"media_type": PNG, "facts": FACTS, "notes": [], "warnings": [{"code": "burned_in", "reasons": ["modality"]}]}
VIEW = {
    "width": 3,
    "height": 2,
    "offset": -5,
    "slope": 0.5,
    "intercept": 1.0,
    "function": "LINEAR",
    "center": 40.0,
    "width_of_window": 80.0,
    "invert": True,
    "padding": None,
}


def test_a_good_answer_is_read() -> None:
    assert prepared_of({"digest": "a", "notes": ["b"]}, PIXELS, SPEC).notes == ("b",)
    kept = kept_of(KEPT, SIGN)
    assert (kept.facts.window, kept.warnings[0].reasons) == ((1.0, 2.0), ("modality",))
    shown = view_of({"view": VIEW}, bytes(12))
    assert not isinstance(shown, bytes)
    assert shown.document() == VIEW
    assert view_of({"png": True}, SIGN) == png_of({"png": True}, SIGN) == SIGN


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ([], PIXELS),
        ({}, PIXELS),
        ({"digest": "a", "notes": []}, PIXELS[4:]),
        ({"digest": None, "notes": []}, PIXELS),
        ({"digest": "a", "notes": "b"}, PIXELS),
    ],
)
def test_what_is_no_prepared_picture(head: Any, body: bytes) -> None:
    with pytest.raises(ValueError, match="none"):
        prepared_of(head, body, SPEC)


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        ({}, b"GIF89a"),
        ({"media_type": DICOM}, SIGN),
        ({"media_type": "text/html"}, b"<html>"),
        ({"facts": {}}, SIGN),
        ({"facts": {**FACTS, "width": "3"}}, SIGN),
        ({"facts": {**FACTS, "patient": "DOE"}}, SIGN),
        ({"facts": {**FACTS, "window": [1.0]}}, SIGN),
        ({"warnings": [{"code": "other", "reasons": []}]}, SIGN),
        ({"warnings": ["burned_in"]}, SIGN),
        ({"notes": None}, SIGN),
    ],
)
def test_what_is_no_kept_picture(changes: dict[str, Any], body: bytes) -> None:
    with pytest.raises(ValueError, match="none"):
        kept_of({**KEPT, **changes}, body)


@pytest.mark.parametrize(
    ("changes", "size"),
    [
        ({}, 10),
        ({"width": -3, "height": -2}, 12),
        ({"width": 0, "height": 0}, 0),
        ({"width": "3"}, 12),
        ({"function": "<b>"}, 12),
        ({"slope": None}, 12),
        ({"slope": float("nan")}, 12),
        ({"center": float("inf")}, 12),
        ({"padding": "0"}, 12),
        ({"invert": 1}, 12),
    ],
)
def test_what_is_no_view(changes: dict[str, Any], size: int) -> None:
    with pytest.raises(ValueError, match="none"):
        view_of({"view": {**VIEW, **changes}}, bytes(size))


@pytest.mark.parametrize(("head", "body"), [({"png": True}, b"<html>"), ({}, SIGN), ([], SIGN), (None, SIGN)])
def test_what_is_no_png(head: Any, body: bytes) -> None:
    with pytest.raises(ValueError, match="none"):
        png_of(head, body)
