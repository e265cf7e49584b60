"""What a frame is drawn by, and the elements of a DICOM file that say so again, written from what was understood.

Nothing is copied: numbers are written from numbers, tables from their entries, and what can't be used, or was never
looked at, is not written at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edgekit.inputs.dicom.geometry import SPACINGS, usable_spacing
from edgekit.inputs.dicom.grayscale import Presentation, read_presentation
from edgekit.inputs.dicom.lut import Table
from edgekit.inputs.dicom.modality import Rescale
from edgekit.inputs.dicom.voi import TableShades
from edgekit.inputs.grey import Window

if TYPE_CHECKING:
    from pydicom import Dataset

SHADES = Window("LINEAR_EXACT", 127.5, 255.0)
"""The window of values that are shades already: each is shown as itself."""
AS_DRAWN = Presentation(None, None, SHADES, False)


@dataclass(frozen=True)
class Drawing:
    """How a frame is drawn: its ``presentation`` (None: in colour), and height and width of a pixel by the keywords of
    :data:`~edgekit.inputs.dicom.geometry.SPACINGS` that give them.
    """

    presentation: Presentation | None
    spacings: tuple[tuple[str, tuple[float, float]], ...]

    @property
    def pixel_mm(self) -> tuple[float, float] | None:
        """Height and width of a pixel in millimetres, where they are given so."""
        return next((pair for keyword, pair in self.spacings if keyword != "PixelAspectRatio"), None)


def read_drawing(header: Dataset, dtype: np.dtype[Any] | None, words: str, notes: list[str]) -> Drawing:
    """Read how a frame with stored values of ``dtype`` is drawn; None: in colour."""
    presentation = None if dtype is None else read_presentation(header, dtype, words, notes)
    read = ((keyword, usable_spacing(header, keyword, [])) for keyword in SPACINGS)
    return Drawing(presentation, tuple((keyword, pair) for keyword, pair in read if pair is not None))


def write_drawings(header: Dataset, drawings: Sequence[Drawing]) -> None:
    """Write how frames are drawn into ``header``: once where all are alike, else for each in its functional groups."""
    from pydicom import Dataset

    first = drawings[0].presentation
    if first is not None:
        header.PhotometricInterpretation = "MONOCHROME1" if first.inverted else "MONOCHROME2"
    if all(drawing == drawings[0] for drawing in drawings):
        for part in _parts(drawings[0]):
            header.update(part)
        return
    header.PerFrameFunctionalGroupsSequence = []
    names = ("PixelMeasuresSequence", "PixelValueTransformationSequence", "FrameVOILUTSequence")
    for drawing in drawings:
        group = Dataset()
        for name, part in zip(names, _parts(drawing), strict=True):
            if len(part):
                setattr(group, name, [part])
        header.PerFrameFunctionalGroupsSequence.append(group)


def pinned(presentation: Presentation, window: Window) -> Presentation:
    """Return the same presentation with the ``window`` that its lack of one came to."""
    modality = presentation.modality if isinstance(presentation.modality, Table) else None
    return replace(presentation, modality=modality, voi=window, inverted=presentation.turned)


def _parts(drawing: Drawing) -> Iterator[Dataset]:
    """The elements of a frame's spacing, of its values, and of its shades."""
    from pydicom import Dataset

    spacing, values, shades = Dataset(), Dataset(), Dataset()
    for keyword, pair in drawing.spacings:
        _put_numbers(spacing, keyword, *pair)
    if drawing.presentation is not None:
        _put_values(values, drawing.presentation)
        _put_shades(shades, drawing.presentation)
    yield from (spacing, values, shades)


def _put_values(header: Dataset, presentation: Presentation) -> None:
    modality = presentation.modality
    if isinstance(modality, Rescale):
        _put_numbers(header, "RescaleSlope", modality.slope)
        _put_numbers(header, "RescaleIntercept", modality.intercept)
    elif modality is not None:
        header.ModalityLUTSequence = [_table(modality)]
        header.ModalityLUTSequence[0].ModalityLUTType = "US"  # unspecified


def _put_shades(header: Dataset, presentation: Presentation) -> None:
    voi = presentation.voi
    if isinstance(voi, TableShades):
        header.VOILUTSequence = [_table(voi.table)]
    elif voi is not None:
        _put_numbers(header, "WindowCenter", voi.centre)
        _put_numbers(header, "WindowWidth", voi.width)
        header.VOILUTFunction = voi.function
    if presentation.padding is not None:
        low, high = presentation.padding
        for keyword, value in (("PixelPaddingValue", low), ("PixelPaddingRangeLimit", high)):
            header.add_new(keyword, _vr(low, high), value)


def _vr(low: int, high: int) -> str:
    """The value representation of padding: 16 bits as the standard has it, more where pixels have more."""
    if low < 0:
        return "SS" if low >= -(2**15) and high < 2**15 else "SL"
    return "US" if high < 2**16 else "UL"


def _put_numbers(header: Dataset, keyword: str, *values: float) -> None:
    """Put decimals, or whole numbers, that are read back as the same floats: sixteen characters, the most that the
    standard has, would round what a careless writer gave more of.
    """
    from pydicom import DataElement
    from pydicom.config import IGNORE
    from pydicom.datadict import dictionary_VR, tag_for_keyword

    tag = tag_for_keyword(keyword)
    assert tag is not None
    written = [repr(value).removesuffix(".0") for value in values]
    header.add(DataElement(tag, dictionary_VR(tag), written, validation_mode=IGNORE))


def _table(table: Table) -> Dataset:
    """A look-up table as an item: its entries in words, whatever they were in."""
    from pydicom import Dataset

    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(table.entries) & 0xFFFF, table.first & 0xFFFF, table.bits])
    item.add_new("LUTData", "OW", table.entries.astype("<u2").tobytes())
    return item
