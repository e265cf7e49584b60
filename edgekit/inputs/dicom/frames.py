"""Which frame of many, and what enhanced files say about that one alone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from edgekit.errors import InputError
from edgekit.inputs.dicom.header import items, optional

if TYPE_CHECKING:
    from pydicom import Dataset

_GROUPS = (("SharedFunctionalGroupsSequence", False), ("PerFrameFunctionalGroupsSequence", True))
_PARTS = ("PixelMeasuresSequence", "PixelValueTransformationSequence", "FrameVOILUTSequence")
_OF_FRAMES = (
    *("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio"),
    *("RescaleSlope", "RescaleIntercept", "ModalityLUTSequence"),
    *("WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence"),
    *("PixelPaddingValue", "PixelPaddingRangeLimit"),
)
"""What frames may differ in; how their pixels are stored is one for all."""


def choose_frame(header: Dataset, name: str, frame: int | None, notes: list[str]) -> int:
    """Return ``frame``, or the middle one, which is noted: of the others, an answer knows nothing.

    :class:`~edgekit.errors.InputError` for one that isn't there.
    """
    count = int(header.NumberOfFrames)
    if frame is None:
        middle = (count - 1) // 2
        if count > 1:
            notes.append(f"It has {count} frames: only the middle one, number {middle + 1}, is looked at.")
        return middle
    if not 0 <= frame < count:
        raise InputError(f"{name} has no frame {frame}", f"It has {count}, counted from 0.")
    return frame


def flattened(header: Dataset, frame: int, notes: list[str]) -> Dataset:
    """Return a header with a frame's own spacing, rescale and window where plain files have them; enhanced ones keep
    them in groups.
    """
    from pydicom.tag import Tag

    own = header[:]
    for keyword, each in _GROUPS:
        groups = optional("What is said of frames", partial(items, header, keyword), notes) or []
        for group in groups[frame : frame + 1] if each else groups[:1]:
            for part in _PARTS:
                for item in (optional("What is said of a frame", partial(items, group, part), notes) or [])[:1]:
                    own.update({Tag(keyword): item.get_item(keyword) for keyword in _OF_FRAMES if keyword in item})
    return own
