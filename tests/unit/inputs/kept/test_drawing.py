"""What a frame is drawn by, written and read back the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset

from edgekit.inputs.dicom.frames import flattened
from edgekit.inputs.dicom.grayscale import Presentation
from edgekit.inputs.dicom.lut import Table
from edgekit.inputs.dicom.modality import Rescale
from edgekit.inputs.dicom.voi import TableShades
from edgekit.inputs.grey import Values, Window, range_window
from edgekit.inputs.kept.drawing import AS_DRAWN, Drawing, pinned, read_drawing, write_drawings
from tests.dicoms import item

FINITE = st.floats(-1e12, 1e12)
SIZES = st.floats(1, 1e9)
ENTRIES = st.lists(st.integers(0, 65_535), min_size=1, max_size=9).map(lambda entries: np.array(entries, np.uint16))


def tables(first: st.SearchStrategy[int]) -> st.SearchStrategy[Table]:
    """Tables as they come out of a file: their bits hold their entries."""
    made = st.builds(Table, ENTRIES, first, st.integers(8, 16))
    return made.map(lambda table: replace(table, bits=max(8, table.bits, int(table.entries.max()).bit_length())))


def usable(table: Table) -> Table:
    """16 bits are believed of no table that could do with fewer."""
    return replace(table, bits=max(8, int(table.entries.max()).bit_length())) if table.bits == 16 else table


PRESENTATIONS = st.builds(
    Presentation,
    st.none() | st.tuples(st.integers(0, 100), st.integers(100, 65_535)),
    st.none() | st.builds(Rescale, FINITE.filter(bool), FINITE) | tables(st.integers(0, 65_535)).map(usable),
    st.none()
    | st.builds(Window, st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"]), FINITE, SIZES)
    | tables(st.integers(0, 32_767)).map(usable).map(TableShades),
    st.booleans(),
)
SPACING = st.floats(0.01, 10)
DRAWINGS = st.builds(
    Drawing,
    PRESENTATIONS,
    st.lists(st.tuples(st.just("PixelSpacing"), st.tuples(SPACING, SPACING)), max_size=1)
    .map(tuple)
    .filter(lambda pairs: all(1 / 9 < pair[0] / pair[1] < 9 for _, pair in pairs)),
)


def header(**elements: Any) -> Dataset:
    instance = item(PixelRepresentation=0, **elements)
    instance.set_original_encoding(False, True)
    return instance


@given(st.lists(DRAWINGS, min_size=1, max_size=3))
def test_what_is_written_is_read_back(drawings: list[Drawing]) -> None:
    """Bit by bit, whatever the numbers; frames are inverted alike, as all of a file are."""
    assert drawings[0].presentation is not None
    alike = [
        replace(each, presentation=replace(each.presentation, inverted=drawings[0].presentation.inverted))
        for each in drawings
        if each.presentation is not None
    ]
    written = header()
    write_drawings(written, alike)
    assert ("PerFrameFunctionalGroupsSequence" in written) == (len({*map(repr, alike)}) > 1)
    notes: list[str] = []
    for frame, drawing in enumerate(alike):
        assert read_drawing(flattened(written, frame, notes), np.dtype(np.uint16), "<u2", notes) == drawing
    assert not notes


def test_colour_has_a_spacing_alone() -> None:
    written = header(PhotometricInterpretation="RGB")
    drawing = Drawing(None, (("PixelAspectRatio", (2.0, 1.0)),))
    write_drawings(written, [drawing])
    assert read_drawing(written, None, "<u2", []) == drawing
    assert drawing.pixel_mm is None
    assert written.PhotometricInterpretation == "RGB"


@pytest.mark.parametrize("padding", [(-5, -5), (-40_000, 2), (0, 70_000), (7, 7)])
def test_padding_has_a_representation_that_holds_it(padding: tuple[int, int]) -> None:
    written = header()
    drawing = Drawing(replace(AS_DRAWN, padding=padding), ())
    write_drawings(written, [drawing])
    assert read_drawing(written, np.dtype(np.int32), "<u2", []) == drawing


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16])
@pytest.mark.parametrize("inverted", [True, False])
@pytest.mark.parametrize(
    "modality", [None, Rescale(0.1, 7), Rescale(-0.1, 7), Table(np.arange(200, dtype=np.uint16), 0, 16)]
)
def test_pinned_is_drawn_as_before(modality: Any, inverted: bool, dtype: type) -> None:
    values: Values = np.random.default_rng(1).integers(0, 120, (30, 40)).astype(dtype)
    presentation = Presentation((3, 9), modality, None, inverted)
    window = range_window(presentation.values(values), ~presentation.padded(values))
    assert window is not None
    fixed = pinned(presentation, window)
    assert fixed.voi is not None
    assert (fixed(values) == presentation(values)).all()
    assert np.ptp(fixed(values)) == 255
