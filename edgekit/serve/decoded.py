"""The decoding child's answers, read by the service: each is looked at before it is believed.

A damaged or a malicious picture may have made the child say anything. What is not an answer is a :class:`ValueError`
here; what is one has the types, the sizes and the words that it should.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from edgekit import config
from edgekit.checkpoint.spec import ImageSpec
from edgekit.errors import EdgeKitError
from edgekit.inputs.kept.picture import DICOM, PNG, KeptPicture, PictureFacts, PictureWarning
from edgekit.inputs.kept.view import View
from edgekit.inputs.prepared import PreparedPicture

_PNG_SIGN, _DICOM_SIGN = b"\x89PNG\r\n\x1a\n", bytes(128) + b"DICM"
_FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


def prepared_of(head: Any, body: bytes, spec: ImageSpec) -> PreparedPicture:
    """Read a picture that is prepared for the model with ``spec``."""
    shape = (3, spec.size, spec.size)
    match head:
        case {"digest": str(digest), "notes": list(notes)} if len(body) == 4 * math.prod(shape):
            values = np.frombuffer(body, np.float32).reshape(shape)
            return PreparedPicture(values, spec, digest, tuple(map(str, notes)))
    raise _not_an_answer()


def kept_of(head: Any, body: bytes) -> KeptPicture:
    """Read a kept picture."""
    signs = {DICOM: _DICOM_SIGN, PNG: _PNG_SIGN}
    match head:
        case {"media_type": str(kind), "facts": dict(facts), "notes": list(notes), "warnings": list(warnings)} if (
            kind in signs and body.startswith(signs[kind])
        ):
            try:
                read = config.load(PictureFacts, facts, "its facts")
                warned = tuple(config.load(PictureWarning, warning, "its warnings") for warning in warnings)
            except EdgeKitError:
                raise _not_an_answer() from None
            return KeptPicture(body, kind, read, tuple(map(str, notes)), warned)
    raise _not_an_answer()


def view_of(head: Any, body: bytes) -> View | bytes:
    """Read a grey picture's view, or a picture in colour."""
    match head:
        case {
            "view": {
                "width": int(width),
                "height": int(height),
                "offset": int(offset),
                "slope": float(slope),
                "intercept": float(intercept),
                "function": str(function),
                "center": float(centre),
                "width_of_window": float(extent),
                "invert": bool(inverted),
                "padding": (int() | None) as padding,
            }
        } if (
            _is_whole(width, height, body)
            and function in _FUNCTIONS
            and all(map(math.isfinite, (slope, intercept, centre, extent)))
        ):
            return View(
                pixels=np.frombuffer(body, "<u2").reshape(height, width),
                function=function,
                window=(centre, extent),
                offset=offset,
                slope=slope,
                intercept=intercept,
                inverted=inverted,
                padding=padding,
            )
    return png_of(head, body)


def _is_whole(width: int, height: int, body: bytes) -> bool:
    return min(width, height) > 0 and len(body) == 2 * width * height


def png_of(head: Any, body: bytes) -> bytes:
    """Read a PNG."""
    if isinstance(head, dict) and head.get("png") is True and body.startswith(_PNG_SIGN):
        return body
    raise _not_an_answer()


def _not_an_answer() -> ValueError:
    return ValueError("the child's answer is none")
