"""A picture as it is kept: its file, and what a page tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Reason: TypeAlias = Literal["attribute", "modality", "secondary_capture", "format"]
DICOM, PNG = "application/dicom", "image/png"


@dataclass(frozen=True)
class PictureWarning:
    """Something to look at before a picture is used, as codes for a page to put into words.

    ``burned_in``: names may stand in the pixels, since the file says so (``attribute``), pictures of its ``modality``
    mostly have them, or it is a ``secondary_capture``. ``burned_in_unknown``: its ``format`` has no place to say.
    """

    code: Literal["burned_in", "burned_in_unknown"]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, kw_only=True)
class PictureFacts:
    """What is known of a picture; what is not is empty, or None.

    * ``width``, ``height``: in pixels, as it is drawn: upright, its pixels square
    * ``frames``, ``bits`` of a sample, ``colour``
    * ``modality``, ``body_part``, ``view``, ``laterality``, ``orientation``: DICOM's defined terms
    * ``pixel_spacing_mm``: between rows and between columns of the file's pixels
    * ``window``: centre and width that it is drawn with, of the frame in the middle; None where it has none of its own
    """

    width: int
    height: int
    frames: int
    bits: int
    colour: bool
    modality: str = ""
    body_part: str = ""
    view: str = ""
    laterality: str = ""
    orientation: tuple[str, ...] = ()
    pixel_spacing_mm: tuple[float, float] | None = None
    window: tuple[float, float] | None = None


@dataclass(frozen=True)
class KeptPicture:
    """A ``file`` to store, of a ``media_type`` (:data:`DICOM` or :data:`PNG`), and what is to be said of it.

    The same picture gives the same bytes. ``notes`` say in whole sentences what of the original was left out or done to
    it so that it could be drawn; nothing that the original says itself stands in them.
    """

    file: bytes
    media_type: str
    facts: PictureFacts
    notes: tuple[str, ...]
    warnings: tuple[PictureWarning, ...]
