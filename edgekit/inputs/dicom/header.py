"""What a header says, as far as it can be read: an optional field that can't counts as absent, and a note says so.

Viewers draw a picture whose window or rescale is written wrongly, and so does EdgeKit; but it says what it left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from pydicom import Dataset

T = TypeVar("T")


class Unusable(Exception):
    """Why a field, or what it describes, can't be used: the end of a sentence."""


def optional(stage: str, read: Callable[[], T | None], notes: list[str]) -> T | None:
    """Return what ``read`` gives. Where it raises :class:`Unusable`: None,
    and a note that ``stage`` is left out and why.
    """
    try:
        return read()
    except Unusable as error:
        notes.append(f"{stage} is left out: {error}.")
        return None


def numbers(header: Dataset, keyword: str) -> list[float] | None:
    """Return the finite numbers of an element, at least one; None without the element,
    :class:`Unusable` for anything else.
    """
    if keyword not in header:
        return None
    try:
        value = header[keyword].value
        values = [] if value in (None, "") else [float(part) for part in np.ravel(value)]
    except Exception as error:  # pydicom converts values when they are asked for, and raises anything
        raise Unusable(f"{title(keyword)} is {_written(header, keyword)}, no number") from error
    if not values:
        raise Unusable(f"{title(keyword)} is empty")
    if not np.isfinite(values).all():
        raise Unusable(f"{title(keyword)} is {_written(header, keyword)}, no number")
    return values


def items(header: Dataset, keyword: str) -> list[Dataset] | None:
    """Return the items of a sequence, at least one; None without the element, :class:`Unusable` for anything else."""
    from pydicom import Sequence

    if keyword not in header:
        return None
    try:
        value = header[keyword].value
    except Exception as error:  # as in numbers
        raise Unusable(f"{title(keyword)} can't be read") from error
    if not isinstance(value, Sequence):
        raise Unusable(f"{title(keyword)} is no sequence")
    if not value:
        raise Unusable(f"{title(keyword)} is empty")
    return list(value)


def text(header: Dataset, keyword: str) -> str:
    """Return a coded word in capitals without blanks around it; "" where there is none."""
    return str(header.get(keyword) or "").strip().upper()


def title(keyword: str) -> str:
    """Return the name that the standard gives an element."""
    from pydicom.datadict import dictionary_description

    return dictionary_description(keyword)


def complete(header: Dataset, notes: list[str]) -> None:
    """Put what viewers assume where a header that has pixels lacks the rest, and say so.

    As dcmtk does: one frame where their number can't be read, one sample where none is given. :class:`Unusable` where
    nobody can assume anything.
    """
    for keyword in ("PhotometricInterpretation", "BitsAllocated"):
        if header.get(keyword) is None:
            raise Unusable(f"{title(keyword)} is missing")
    counted = optional("The number of frames", lambda: numbers(header, "NumberOfFrames") or [1.0], notes) or [1.0]
    header.NumberOfFrames = max(1, int(counted[0]))
    if header.get("SamplesPerPixel") is None:
        header.SamplesPerPixel = 1
        notes.append("Samples per Pixel is missing: one is assumed.")
    if header.SamplesPerPixel not in (1, 3):
        raise Unusable(f"Samples per Pixel is {header.SamplesPerPixel}, not 1 or 3")
    header.PhotometricInterpretation = text(header, "PhotometricInterpretation")


def _written(header: Dataset, keyword: str) -> str:
    """An element's value as it stands in the file, in quotes."""
    value = header.get_item(keyword).value
    plain = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return repr(plain.strip(" \0")[:40])
