"""DICOM as it is kept: a fresh file of an allow-list, its frames decoded and packed again without a loss.

Colour is kept as it is drawn, RGB of 8 bits. Grey keeps its stored values, so that a window can be moved, and what
they are drawn by. Whether that was written rightly is not believed but read back; where it says anything else than the
original, the frames are kept as they are drawn instead.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO

import numpy as np

from edgekit.inputs.dicom.colour import colour
from edgekit.inputs.dicom.decode import decode
from edgekit.inputs.dicom.file import DicomFile, open_dicom
from edgekit.inputs.dicom.frames import choose_frame, flattened
from edgekit.inputs.dicom.geometry import square_size
from edgekit.inputs.dicom.read import StoredFrame, read_stored, readable
from edgekit.inputs.dicom.tiles import read_grid
from edgekit.inputs.grey import Values, Window, range_window
from edgekit.inputs.images import check_size
from edgekit.inputs.kept.burned_in import warnings_of
from edgekit.inputs.kept.drawing import AS_DRAWN, Drawing, pinned, read_drawing
from edgekit.inputs.kept.mask import Rectangle, blackened, boxes, darkest
from edgekit.inputs.kept.packed import PackedFrames, require_room
from edgekit.inputs.kept.picture import DICOM, KeptPicture, PictureFacts
from edgekit.inputs.kept.terms import Attributes, read_terms
from edgekit.inputs.kept.write import sop_class_of, write_dicom

_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")


@dataclass
class _Copy:
    """Frames on their way into a kept file; ``size`` is the width and height that the shown one is drawn with."""

    frames: PackedFrames = field(default_factory=PackedFrames)
    drawings: list[Drawing] = field(default_factory=list)
    shown: int = 0
    size: tuple[int, int] = (0, 0)
    notes: list[str] = field(default_factory=list)


def keep_dicom(stream: BinaryIO, name: str, rectangles: Sequence[Rectangle]) -> KeptPicture:
    """Return what is kept of the DICOM file in ``stream``, ``rectangles`` of each frame blackened; within
    :func:`~edgekit.inputs.images.reading`.
    """
    with readable(name):
        notes: list[str] = []
        file = open_dicom(stream, name, notes)
        check_size(int(file.header.Columns), int(file.header.Rows), name)
        sop_class, terms = sop_class_of(file.header), read_terms(file.header)
        is_float = file.keyword != "PixelData"
        # No window shows floats bit by bit as their least and greatest value do, and blackening needs one.
        copy = _copied(file, name, rectangles, as_drawn=is_float and bool(rectangles))
        content = _written(copy, sop_class, terms, file)
        if not _is_read_back(content, copy):
            copy = _copied(file, name, rectangles, as_drawn=True)
            content = _written(copy, sop_class, terms, file)
        require_room(len(content))
        facts = _facts(copy, terms, _bits(copy, file))
        told = tuple(_QUOTED.sub("…", note) for note in (*notes, *copy.notes))
        return KeptPicture(content, DICOM, facts, told, warnings_of(sop_class, terms))


def _copied(file: DicomFile, name: str, rectangles: Sequence[Rectangle], *, as_drawn: bool) -> _Copy:
    copy = _Copy()
    for index, stored in enumerate(_frames(file, name, copy)):
        notes = copy.notes if index == copy.shown else []
        values, drawing = _drawn(stored, file.words, notes, as_drawn=as_drawn)
        rows, columns = values.shape[:2]
        size = square_size(columns, rows, stored.header, lambda w, h: check_size(w, h, name), notes)
        if index == copy.shown:
            copy.size = size
        if rectangles:
            places = boxes(rectangles, size, (columns, rows))
            values, drawing = _masked(values, drawing, places, int(stored.header.get("BitsStored") or 8))
        copy.frames.add(values)
        copy.drawings.append(drawing)
    return copy


def _frames(file: DicomFile, name: str, copy: _Copy) -> Iterator[StoredFrame]:
    """Every frame with what is said of it alone, or a slide put together."""
    if read_grid(file.header, name, lambda width, height: check_size(width, height, name), []) is not None:
        yield read_stored(file, name, None, lambda width, height: check_size(width, height, name), copy.notes)
        return
    copy.shown = choose_frame(file.header, name, None, copy.notes)
    for frame, values in enumerate(decode(file, range(int(file.header.NumberOfFrames)), copy.notes)):
        yield StoredFrame(values, flattened(file.header, frame, copy.notes if frame == copy.shown else []))


def _drawn(stored: StoredFrame, words: str, notes: list[str], *, as_drawn: bool) -> tuple[Values, Drawing]:
    """A frame's values as they are kept, and how these are drawn."""
    if stored.in_colour:
        return colour(stored.values, stored.header, words, notes), read_drawing(stored.header, None, words, notes)
    drawing = read_drawing(stored.header, stored.values.dtype, words, notes)
    if not as_drawn or drawing.presentation is None:
        return stored.values, drawing
    return drawing.presentation(stored.values), replace(drawing, presentation=AS_DRAWN)


def _masked(
    values: Values, drawing: Drawing, places: Sequence[tuple[slice, slice]], bits: int
) -> tuple[Values, Drawing]:
    """A frame with places blackened, all else drawn as before: in a window, where the greatest value may have gone."""
    presentation = drawing.presentation
    if presentation is None:
        return blackened(values, places, 0), drawing
    if presentation.voi is None:
        window = range_window(presentation.values(values), ~presentation.padded(values))
        assert window is not None, "what is padding throughout is none"
        presentation = pinned(presentation, window)
    candidates = np.unique([values.min(), values.max()])
    if values.dtype.itemsize <= 2:
        low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if values.dtype.kind == "i" else (0, 2**bits - 1)
        candidates = np.arange(min(low, candidates[0]), max(high, candidates[-1]) + 1)
    return blackened(values, places, darkest(presentation, candidates)), replace(drawing, presentation=presentation)


def _bits(copy: _Copy, file: DicomFile) -> int:
    """The bits of a sample: as many as the file says that there are, where no value needs more."""
    allocated = 8 * copy.frames.dtype.itemsize
    said = int(file.header.get("BitsStored") or 0)
    return allocated if copy.frames.is_float else max(copy.frames.bits, min(said, allocated))


def _written(copy: _Copy, sop_class: str, terms: Attributes, file: DicomFile) -> bytes:
    return write_dicom(sop_class, terms, copy.frames, _bits(copy, file), copy.drawings)


def _is_read_back(content: bytes, copy: _Copy) -> bool:
    """Whether every frame of a written file is drawn as it was meant to be."""
    kept = open_dicom(io.BytesIO(content), "The kept file", [])
    dtype = copy.frames.dtype if len(copy.frames.shape) == 2 else None
    alike = "PerFrameFunctionalGroupsSequence" not in kept.header
    return all(
        read_drawing(flattened(kept.header, frame, []), dtype, kept.words, []) == drawing
        for frame, drawing in enumerate(copy.drawings[: 1 if alike else None])
    )


def _facts(copy: _Copy, terms: Attributes, bits: int) -> PictureFacts:
    shown = copy.drawings[copy.shown]
    voi = shown.presentation.voi if shown.presentation else None

    def term(*keywords: str) -> str:
        return next((terms[keyword][0] for keyword in keywords if keyword in terms), "")

    return PictureFacts(
        width=copy.size[0],
        height=copy.size[1],
        frames=len(copy.drawings),
        bits=bits,
        colour=shown.presentation is None,
        modality=term("Modality"),
        body_part=term("BodyPartExamined"),
        view=term("ViewPosition"),
        laterality=term("ImageLaterality", "Laterality"),
        orientation=terms.get("PatientOrientation", ()),
        pixel_spacing_mm=shown.pixel_mm,
        window=(voi.centre, voi.width) if isinstance(voi, Window) else None,
    )
