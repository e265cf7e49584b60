"""Which frame of many, and what enhanced files say about that one alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit.errors import InputError

if TYPE_CHECKING:
    from pydicom import Dataset


def choose_frame(header: Dataset, name: str, frame: int | None) -> int:
    count = int(header.get("NumberOfFrames") or 1)
    if frame is None:
        return max(0, count - 1) // 2
    if not 0 <= frame < count:
        raise InputError(f"{name} has no frame {frame}", f"It has {count}, counted from 0.")
    return frame


def flatten(header: Dataset, frame: int) -> None:
    """Put the frame's own rescale and window, which enhanced files keep in groups, where plain files have them."""
    for keyword, index in (("SharedFunctionalGroupsSequence", 0), ("PerFrameFunctionalGroupsSequence", frame)):
        groups = header.get(keyword) or []
        for part in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
            for item in (groups[index].get(part) or [])[:1] if index < len(groups) else []:
                header.update(item)
