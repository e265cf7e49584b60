"""What of a DICOM file is kept: nothing that it says in places of its own, and everything that it is drawn by."""

from __future__ import annotations

import io
import itertools
import struct
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.datadict import DicomDictionary
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import UID, JPEGExtended12Bit

from edgekit.errors import InputError
from edgekit.inputs.images import load_image
from edgekit.inputs.kept.keep import keep, masked
from edgekit.inputs.kept.mask import Rectangle
from edgekit.inputs.kept.picture import PictureWarning
from tests import jpegs
from tests.dicoms import DEEP, RAMP, dataset, deep, encapsulated, encode, item, table, words
from tests.kept import kept_alike
from tests.unit.reads.test_dicom import floats

NAME = "QUIXOTE"
NUMBER = 27182818
TEXTS = {"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"}
NEEDED = {
    *("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel"),
    *("PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "SpecificCharacterSet"),
    *("TotalPixelMatrixRows", "TotalPixelMatrixColumns", "RescaleSlope", "RescaleIntercept"),
}
"""Where other values would make another picture of a file, or none."""


def hidden(kept: bytes) -> bytes:
    """Everything in a kept file: its bytes, and what its frames unpack to."""
    instance = pydicom.dcmread(io.BytesIO(kept))
    frames = load_image(kept).image.tobytes()
    return b"\n".join([kept, str(instance).encode(), frames])


def assert_silent(content: bytes) -> None:
    kept = keep(content)
    everything = hidden(kept.file)
    assert NAME.encode() in content
    for secret in (NAME.encode(), str(NUMBER).encode(), struct.pack("<I", NUMBER)):
        assert secret not in everything
    assert NAME not in repr((kept.facts, kept.notes, kept.warnings))


def telling(vr: str) -> Any:
    """A value that says the name, or the number where there are no letters."""
    if vr in TEXTS:
        return NAME
    numbers = {
        "UI": f"1.2.{NUMBER}",
        "DS": str(NUMBER),
        "IS": str(NUMBER),
        "UL": NUMBER,
        "SL": NUMBER,
        "UN": b"QUIXOTE ",
    }
    others = {"OB": b"QUIXOTE ", "OW": b"QUIXOTE ", "SQ": Sequence([item(PatientName=NAME)])}
    return {**numbers, **others}.get(vr)


@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, about coded words that are none
def test_no_element_of_the_dictionary_is_passed_on_in_its_own_words() -> None:
    """Every one that can say a name or a number does, but for those that a picture can't be without."""
    instance = deep(WindowCenter="2000", WindowWidth="900")
    told = 0
    for tag, (vr, *_, keyword) in DicomDictionary.items():
        value = telling(vr.split(" or ")[0])
        unused = Tag(tag) not in instance and keyword not in NEEDED and "Palette" not in keyword
        if value is not None and unused and 0x0008 <= tag >> 16 < 0x7FE0:
            instance.add_new(tag, vr.split(" or ")[0], value)
            told += 1
    assert told > 3500
    content = encode(instance)
    assert content.count(NAME.encode()) > 2000
    assert_silent(content)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_no_group_but_the_standard_s_is_passed_on() -> None:
    instance = deep()
    block = instance.private_block(0x0009, f"{NAME} CREATOR", create=True)
    block.add_new(1, "LO", NAME)
    block.add_new(2, "OB", NAME.encode() * 20)
    block.add_new(3, "SQ", Sequence([item(PatientName=NAME)]))
    for group in (0x5000, 0x6000, 0x6002):  # curves and overlays, which the dictionary has as 50xx and 60xx
        for element, vr, value in ((0x0022, "LO", NAME), (0x1500, "LO", NAME), (0x3000, "OW", b"QUIXOTE ")):
            instance.add_new(Tag(group, element), vr, value)
    groups = item(PixelMeasuresSequence=[item(PixelSpacing=["1", "1"], PatientName=NAME)], FrameComments=NAME)
    instance.SharedFunctionalGroupsSequence = [groups]
    lut = table([4096, 0, 12], words(range(4096)), LUTExplanation=NAME)
    instance.VOILUTSequence = [lut]
    assert_silent(encode(instance))


def test_nothing_before_or_behind_is_passed_on() -> None:
    instance = deep()
    instance.file_meta.ImplementationVersionName = NAME
    instance.file_meta.SourceApplicationEntityTitle = NAME
    instance.file_meta.PrivateInformationCreatorUID = UID(f"1.2.{NUMBER}")
    instance.file_meta.PrivateInformation = NAME.encode() + b" "
    instance.preamble = (NAME.encode() * 20)[:128]
    instance.add_new(0xFFFCFFFC, "OB", NAME.encode() * 4)  # Data Set Trailing Padding
    assert_silent(encode(instance) + NAME.encode() * 100)


def test_nothing_in_encoded_pixels_is_passed_on() -> None:
    comment = struct.pack(">BBH", 0xFF, 0xFE, 2 + len(NAME)) + NAME.encode()
    lossless = jpegs.lossless(RAMP, 12)
    frame = lossless[:2] + comment + lossless[2:] + NAME.encode()
    assert_silent(encapsulated(dataset(RAMP, BitsStored=12, HighBit=11), [frame], "1.2.840.10008.1.2.4.70"))
    embedded = np.frombuffer((NAME.encode() * 100)[: RAMP.size], np.uint8).reshape(RAMP.shape)
    above = deep(RAMP | (embedded.astype(np.uint16) & 0xF0) << 8)  # overlays of old had their bits there
    assert keep(encode(above)).file == keep(encode(deep(RAMP))).file


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("keyword", ["WindowCenter", "WindowWidth", "VOILUTFunction", "RescaleSlope", "PixelSpacing"])
def test_notes_quote_nothing(keyword: str) -> None:
    instance = deep(WindowCenter="2718281", WindowWidth="2718281", RescaleSlope="2718281", RescaleIntercept="0")
    instance.VOILUTFunction, instance.PixelSpacing = "2718281", "2718281"
    content = encode(instance)
    tag = struct.pack("<HH", *divmod(pydicom.datadict.tag_for_keyword(keyword) or 0, 2**16))
    at = content.index(tag)
    content = content[:at] + content[at:].replace(b"2718281", NAME.encode(), 1)
    assert any(NAME in note for note in load_image(content).notes)
    assert_silent(content)


def test_a_picture_has_one_file_and_no_other_has_it() -> None:
    files = {keep(encode(deep(DEEP + shift, PatientName=name))).file for shift in (0, 1) for name in ("A", "B")}
    assert len(files) == 2
    uids = {pydicom.dcmread(io.BytesIO(file)).SOPInstanceUID for file in files}
    assert len(uids) == 2
    assert all(uid.is_valid and uid.startswith("2.25.") for uid in uids)


def enhanced(count: int = 3) -> Dataset:
    """Frames with spacings, rescales, windows and padding of their own."""
    instance = dataset(np.stack([RAMP + shift for shift in range(count)]))
    instance.PerFrameFunctionalGroupsSequence = [
        item(
            PixelMeasuresSequence=[item(PixelSpacing=["1", str(1 + index)])],
            PixelValueTransformationSequence=[item(RescaleSlope=f"1.{index}", RescaleIntercept=str(index))],
            FrameVOILUTSequence=[item(WindowCenter=str(1000 * index), WindowWidth="900")] if index else [],
        )
        for index in range(count)
    ]
    return instance


def test_frames_keep_what_each_is_drawn_by() -> None:
    kept = kept_alike(encode(enhanced()))
    assert kept.facts.pixel_spacing_mm == (1.0, 2.0)
    assert kept.facts.window == (1000.0, 900.0)
    assert len({load_image(kept.file, frame).digest for frame in range(3)}) == 3


def test_numbers_of_more_digits_than_a_decimal_has_are_kept_whole() -> None:
    content = encode(deep(RescaleSlope="0.12345678901234", RescaleIntercept="0", WindowCenter="250", WindowWidth="100"))
    longer = content.replace(b"DS\x10\x000.12345678901234", b"DS\x14\x000.123456789012345678")
    assert longer != content
    kept_alike(longer)


def test_what_can_not_be_written_as_it_was_meant_is_kept_as_it_is_drawn() -> None:
    """12-bit JPEG comes out unsigned, whatever the header says, and its table begins below 0."""
    means = np.array([[0, 700, 4095], [2048, 100, 3000]])
    blocks = np.kron(means, np.ones((8, 8), int)).astype(np.uint16)
    lut = table([4096, 65000, 16], words(range(4096)), ModalityLUTType="US")
    instance = deep(blocks, PixelRepresentation=1, ModalityLUTSequence=[lut])
    kept = kept_alike(encapsulated(instance, [jpegs.flat_blocks(means)], JPEGExtended12Bit))
    assert kept.facts.bits == 8


@pytest.mark.parametrize(
    ("elements", "reasons"),
    [
        ({"BurnedInAnnotation": "YES", "Modality": "CR"}, ("attribute",)),
        ({"Modality": "US", "BurnedInAnnotation": "NO"}, ("modality",)),
        ({"Modality": "CT"}, ()),
    ],
)
def test_warnings_and_words_are_kept_with_the_file(elements: dict[str, str], reasons: tuple[str, ...]) -> None:
    instance = deep(DEEP, SOPClassUID="1.2.840.10008.5.1.4.1.1.1", **elements)
    kept = kept_alike(encode(instance))
    assert kept.warnings == ((PictureWarning("burned_in", reasons),) if reasons else ())  # type: ignore[arg-type]
    assert kept.facts.modality == elements["Modality"]


PLACES = [Rectangle(2, 3, 5, 4), Rectangle(-4, 15, 8, 400)]
SIGNED = (RAMP.astype(np.int32) - 2000).astype(np.int16)
MASKED = {
    "no window": deep(RAMP),
    "no window, black is white": deep(RAMP, PhotometricInterpretation="MONOCHROME1"),
    "no window, falling": deep(RAMP, RescaleSlope="-0.1", RescaleIntercept="7"),
    "window": deep(RAMP, WindowCenter="2000", WindowWidth="900"),
    "window, black is white": deep(
        RAMP, WindowCenter="2000", WindowWidth="900", PhotometricInterpretation="MONOCHROME1"
    ),
    "signed": dataset(SIGNED, WindowCenter="-100", WindowWidth="900", RescaleSlope="2", RescaleIntercept="3"),
    "table": deep(RAMP, VOILUTSequence=[table([4096, 0, 12], words(np.arange(4096)[::-1]))]),
    "modality table": deep(RAMP, ModalityLUTSequence=[table([4096, 0, 16], words(range(4096)), ModalityLUTType="US")]),
    "padding": deep(RAMP, PixelPaddingValue=0, PixelPaddingRangeLimit=100, PhotometricInterpretation="MONOCHROME1"),
    "colour": dataset(np.stack([RAMP.astype(np.uint8)] * 3, -1) | 1),
    "32 bits": dataset(RAMP.astype(np.uint32) * 1000),
    "frames": dataset(np.stack([RAMP, RAMP + 7, RAMP[::-1]])),
    "frames of their own": enhanced(2),
    "all the same": deep(np.full_like(RAMP, 7)),
}


@pytest.mark.parametrize("kind", [*MASKED, "floats"])
def test_masked_is_black_there_and_the_same_elsewhere(kind: str) -> None:
    content = floats(np.float32, "FloatPixelData") if kind == "floats" else encode(MASKED[kind])
    places = [Rectangle(1, 0, 2, 1)] if kind == "floats" else PLACES
    kept = keep(content)
    done = masked(kept.file, places)
    for frame in range(kept.facts.frames):
        before, after = (np.asarray(load_image(file, frame).image) for file in (kept.file, done.file))
        inside = np.zeros(before.shape[:2], bool)
        for x, y, width, height in places:
            inside[y : y + height, max(0, x) : x + width] = True
        if kind != "frames of their own":  # stretched: what lies beside an edge is drawn from both sides of it
            assert (after[~inside] == before[~inside]).all()
        assert (after[inside] == 0).all() or kind == "frames of their own"
    assert (done.warnings, done.media_type) == (kept.warnings, kept.media_type)
    assert done.facts.frames == kept.facts.frames
    assert keep(done.file).file == done.file


SEEDS = [
    encode(MASKED[kind]) for kind in ("window", "signed", "table", "modality table", "padding", "frames", "colour")
]


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_damage_ends_in_the_same_picture_or_the_same_error(data: st.DataObject) -> None:
    damaged = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(128, min(1200, len(damaged) - 1)))] = data.draw(st.integers(0, 255))
    content = bytes(damaged[: data.draw(st.integers(129, len(damaged))) if data.draw(st.booleans()) else None])
    try:
        expected = load_image(content)
    except InputError as error:
        with pytest.raises(InputError) as caught:
            keep(content)
        assert caught.value.hint == error.hint
        return
    try:
        kept = keep(content)
    except InputError:
        assert "no frame" not in refused(content).message, "all of its frames are read"
    else:
        shown = load_image(kept.file)
        assert shown.digest == expected.digest
        assert shown.image.size == (kept.facts.width, kept.facts.height)


def refused(content: bytes) -> InputError:
    """What is said of a file's first frame that is not read."""
    with pytest.raises(InputError) as caught:
        for frame in itertools.count():
            load_image(content, frame)
    return caught.value
