"""Each row of the page on what is read, held against a file of that form."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.uid import (
    UID,
    BasicTextSRStorage,
    DeflatedExplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
    RLELossless,
)

from edgekit.errors import InputError
from edgekit.inputs.images import load_image
from tests import jpegs
from tests.dicoms import DEEP, RAMP, dataset, deep, encapsulated, encode, item, slide, table, under, words
from tests.reads import rows

SYNTAX = "1.2.840.10008.1.2"
JPEG = f"{SYNTAX}.4."
MEANS = np.array([[0, 700, 4095], [2048, 100, 3000]])
BLOCKS = np.kron(MEANS, np.ones((8, 8), int)).astype(np.uint16)
# 8 x 8 samples, 0 to 3780 by 60, by imagecodecs 2026.3.6 htj2k_encode (OpenJPH).
HTJ2K = base64.b64decode(
    "/0//UQApQAAAAAAIAAAACAAAAAAAAAAAAAAACAAAAAgAAAAAAAAAAAABDwEB/1AACAACAAAACv9SAAwAAgABAAUEBEAB/1wAEyCIkJCQkJCQ"
    "kJCQkJCQiIiI/2QAFwABT3BlbkpQSCBWZXIgMC4yNi4zLv+QAAoAAAAAAFoAAf+TwAAmX/YFB3QAAADAABNAABMAIv4CB3QAGvEDh3QAwAATQA"
    "ATgAwMAYJ0AG7ohgDDVADAACogABVgtm3bqnCCdQC++/bt+8BCAey2AP/Z"
)
EIGHT = (np.arange(64, dtype=np.uint16) * 60).reshape(8, 8)
WHOLE = np.random.default_rng(0).integers(0, 255, (50, 70, 3), dtype=np.uint8)
ENTRIES = np.arange(4096)


def plain(syntax: str, **elements: Any) -> bytes:
    instance = dataset(RAMP, **elements)
    instance.file_meta.TransferSyntaxUID = UID(syntax)
    if syntax == f"{SYNTAX}.2":
        instance.PixelData = RAMP.astype(">u2").tobytes()
    return encode(instance)


def ge() -> bytes:
    return under(plain(SYNTAX, PixelData=RAMP.astype(">u2").tobytes()), "1.2.840.113619.5.2")


def deflated() -> bytes:
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflate.compress(RAMP.tobytes()) + deflate.flush()


def rle() -> bytes:
    instance = dataset(RAMP)
    instance.compress(RLELossless, generate_instance_uid=False)
    return encode(instance)


def jpeg(number: str, frame: int, *bits: int) -> list[bytes]:
    files = []
    for depth in bits:
        means = MEANS if depth == 12 else MEANS // 16
        instance = deep(BLOCKS) if depth == 12 else dataset((BLOCKS // 16).astype(np.uint8))
        files.append(encapsulated(instance, [jpegs.flat_blocks(means, depth, frame)], JPEG + number))
    return files


def lossless() -> list[bytes]:
    return [
        encapsulated(dataset(values, BitsStored=bits, HighBit=bits - 1), [jpegs.lossless(values, bits)], JPEG + number)
        for values, bits in ((DEEP >> 4, 8), (DEEP, 12), (DEEP << 4, 16))
        for number in ("57", "70")
    ]


def gdcm_encoded(folder: Path, *kinds: str) -> list[bytes]:
    """The ramp as GDCM encodes it."""
    import gdcm

    files = []
    for kind in kinds:
        (folder / "plain.dcm").write_bytes(plain(f"{SYNTAX}.1"))
        reader = gdcm.ImageReader()
        reader.SetFileName(str(folder / "plain.dcm"))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, kind)))
        change.SetInput(reader.GetImage())
        assert change.Change(), kind
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(folder / "encoded.dcm"))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
        files.append((folder / "encoded.dcm").read_bytes())
    return files


def undecodable(*syntaxes: str) -> list[bytes]:
    return [encapsulated(dataset(RAMP), [b"\0\0"], syntax) for syntax in syntaxes]


def without(*keywords: str) -> list[bytes]:
    files = []
    for keyword in keywords:
        instance = deep()
        delattr(instance, keyword)
        files.append(encode(instance))
    return files


def other(kind: str) -> bytes:
    instance = dataset(RAMP)
    instance.SOPClassUID = kind
    del instance.Rows, instance.PixelData
    return encode(instance)


def bare(*implicit: bool) -> list[bytes]:
    files = []
    for each in implicit:
        instance = dataset(RAMP)
        del instance.file_meta
        stream = io.BytesIO()
        instance.save_as(stream, implicit_vr=each, little_endian=True)
        files.append(stream.getvalue())
    return files


def floats(dtype: type[np.floating[Any]], keyword: str) -> bytes:
    instance = dataset(DEEP.astype(dtype))
    setattr(instance, keyword, instance.PixelData)
    del instance.PixelData
    return encode(instance)


def text_for(number: str, text: str, **elements: Any) -> bytes:
    """A file where a decimal or integer string says ``text``, which pydicom would refuse to write."""
    data = encode(deep(**elements))
    assert data.count(number.encode()) == 1
    return data.replace(number.encode(), text.encode())


def palette(data: list[int], count: int, bits: int, packed: bool = False) -> bytes:
    instance = dataset(np.array([[0, 1], [2, 3]], np.uint8), PhotometricInterpretation="PALETTE COLOR")
    for name in ("Red", "Green", "Blue"):
        instance.add_new(f"{name}PaletteColorLookupTableDescriptor", "US", [count, 0, bits])
        instance.add_new(f"{name}PaletteColorLookupTableData", "OW", bytes(data) if packed else words(data))
    return encode(instance)


def enhanced() -> bytes:
    instance = dataset(np.stack([RAMP, RAMP]))
    instance.SharedFunctionalGroupsSequence = [
        item(
            PixelMeasuresSequence=[item(PixelSpacing=["1", "1"])],
            PixelValueTransformationSequence=[item(RescaleSlope="2", RescaleIntercept="0")],
            FrameVOILUTSequence=[item(WindowCenter="2000", WindowWidth="4000")],
        )
    ]
    return encode(instance)


def segmented(segments: list[int]) -> bytes:
    instance = dataset(np.array([[0, 1], [2, 3]], np.uint8), PhotometricInterpretation="PALETTE COLOR")
    for name in ("Red", "Green", "Blue"):
        instance.add_new(f"{name}PaletteColorLookupTableDescriptor", "US", [4, 0, 16])
        instance.add_new(f"Segmented{name}PaletteColorLookupTableData", "OW", words(segments))
    return encode(instance)


def files(*instance: Dataset) -> list[bytes]:
    return [encode(each) for each in instance]


def voi(lut: Dataset) -> Dataset:
    return deep(VOILUTSequence=[lut])


def modality(lut: Dataset, **elements: Any) -> Dataset:
    return deep(ModalityLUTSequence=[lut], **elements)


SIGNED = (DEEP.astype(np.int16) - 2048).astype(np.int16)
COLOURS = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)
RETIRED = ("52", "54", "56", *map(str, range(58, 67)))
VIDEOS = (*map(str, range(100, 109)), *(f"{number}.1" for number in range(100, 107)))

Maker = Callable[[Path], list[bytes]]
MAKERS: dict[str, Maker] = {
    "Implicit VR Little Endian": lambda _: [plain(SYNTAX)],
    "Explicit VR Little Endian": lambda _: [plain(f"{SYNTAX}.1")],
    "Explicit VR Big Endian": lambda _: [plain(f"{SYNTAX}.2")],
    "Deflated Explicit VR Little Endian": lambda _: [plain(DeflatedExplicitVRLittleEndian)],
    "GE Private Implicit VR Big Endian (1.2.840.113619.5.2)": lambda _: [ge()],
    "Encapsulated Uncompressed Explicit VR Little Endian": lambda _: [
        encapsulated(dataset(RAMP), [RAMP.tobytes()], f"{SYNTAX}.1.98")
    ],
    "Deflated Image Frame Compression": lambda _: [encapsulated(dataset(RAMP), [deflated()], f"{SYNTAX}.8.1")],
    "RLE Lossless": lambda _: [rle()],
    "JPEG Baseline (Process 1)": lambda _: jpeg("50", 0xC0, 8),
    "JPEG Extended (Process 2 and 4), 8 and 12 bits": lambda _: jpeg("51", jpegs.SEQUENTIAL, 8, 12),
    "JPEG Spectral Selection (Process 6 and 8), 8 and 12 bits": lambda _: jpeg("53", jpegs.PROGRESSIVE, 8, 12),
    "JPEG Full Progression (Process 10 and 12), 8 and 12 bits": lambda _: jpeg("55", jpegs.PROGRESSIVE, 8, 12),
    "12-bit JPEG in colour": lambda _: [
        encapsulated(deep(np.zeros((16, 24, 3), np.uint16)), [jpegs.flat_blocks(MEANS)], JPEG + "51")
    ],
    "JPEG Lossless (Process 14; its Selection Value 1), 8 to 16 bits": lambda _: lossless(),
    "JPEG-LS, lossless and near-lossless": lambda folder: [
        *gdcm_encoded(folder, "JPEGLSLossless"),
        *(under(data, JPEG + "81") for data in gdcm_encoded(folder, "JPEGLSLossless")),
    ],
    "JPEG 2000, lossless and lossy": lambda folder: gdcm_encoded(folder, "JPEG2000Lossless", "JPEG2000"),
    "High-Throughput JPEG 2000, the three of them": lambda _: [
        encapsulated(dataset(EIGHT), [HTJ2K], JPEG + number) for number in ("201", "202", "203")
    ],
    "The other retired JPEG processes": lambda _: undecodable(*(JPEG + number for number in RETIRED)),
    "JPEG 2000 Part 2 Multi-component": lambda _: undecodable(JPEG + "92", JPEG + "93"),
    "JPEG XL, the three of them": lambda _: undecodable(JPEG + "110", JPEG + "111", JPEG + "112"),
    "JPIP Referenced, the four of them": lambda _: undecodable(*(JPEG + end for end in ("94", "95", "204", "205"))),
    "MPEG-2, MPEG-4 AVC/H.264, HEVC/H.265": lambda _: undecodable(*(JPEG + number for number in VIDEOS)),
    "SMPTE ST 2110": lambda _: undecodable(*(f"{SYNTAX}.7.{number}" for number in (1, 2, 3))),
    "RFC 2557 MIME, XML": lambda _: undecodable(f"{SYNTAX}.6.1", f"{SYNTAX}.6.2"),
    "Papyrus 3": lambda _: undecodable("1.2.840.10008.1.20"),
    "Any other transfer syntax": lambda _: undecodable("1.2.3.4", f"{SYNTAX}.4.999", "1.3.46.670589.33.1.4.1"),
    "Pixels that are compressed where the transfer syntax says they are not": lambda _: [
        under(encapsulated(dataset(RAMP), [RAMP.tobytes()], JPEG + "50"), f"{SYNTAX}.1")
    ],
    "Pixels that are not compressed where the transfer syntax says they are": lambda _: [
        under(plain(f"{SYNTAX}.1"), JPEG + number) for number in ("50", "90")
    ],
    "No preamble, no meta group": lambda _: [plain(f"{SYNTAX}.1")[132:], *bare(True, False)],
    "A file cut off in its pixels": lambda _: [plain(f"{SYNTAX}.1")[:-10], rle()[:-30]],
    "A report, a plan, a directory": lambda _: [
        other(kind) for kind in (BasicTextSRStorage, "1.2.840.10008.5.1.4.1.1.481.5", MediaStorageDirectoryStorage)
    ],
    "An image without its pixels": lambda _: without("PixelData"),
    "Bits Stored 12, High Bit 11, overlays or rubbish above": lambda _: files(deep(DEEP | 0x8000), deep(DEEP | 0xF000)),
    "Bits Stored 12, High Bit 15 (left-justified), signed or not, compressed or not": lambda _: [
        *files(deep(DEEP << 4, HighBit=15), deep(SIGNED << 4, HighBit=15)),
        encapsulated(deep(HighBit=15), [jpegs.lossless(DEEP << 4, 16)], JPEG + "70"),
    ],
    "High Bit that can't be": lambda _: files(deep(HighBit=7), deep(HighBit=16)),
    "Bits Stored greater than Bits Allocated, or 0": lambda _: files(deep(BitsStored=17), deep(BitsStored=0)),
    "Pixel Representation, Photometric Interpretation, Bits Allocated or Bits Stored missing": lambda _: without(
        "PixelRepresentation", "PhotometricInterpretation", "BitsAllocated", "BitsStored"
    ),
    "Samples per Pixel missing": lambda _: without("SamplesPerPixel"),
    "Samples per Pixel of 0, 2 or 4": lambda _: files(*(dataset(RAMP, SamplesPerPixel=count) for count in (0, 2, 4))),
    "An encoded frame of another size, or of more samples, than the header says": lambda _: [
        encapsulated(deep(DEEP), [jpegs.lossless(RAMP, 12)], JPEG + "70"),
        encapsulated(dataset(EIGHT[:4]), [HTJ2K], JPEG + "201"),
    ],
    "Number of Frames that is no number": lambda _: [text_for("81", "ab", NumberOfFrames=81)],
    "Many frames": lambda _: files(dataset(np.stack([RAMP, RAMP, RAMP]))),
    "Float and double float pixel data": lambda _: [
        floats(np.float32, "FloatPixelData"),
        floats(np.float64, "DoubleFloatPixelData"),
    ],
    "Rescale": lambda _: files(deep(RescaleSlope="2", RescaleIntercept="-1024")),
    "Rescale Slope or Intercept empty, missing, no number, or a slope of 0": lambda _: [
        *files(deep(RescaleSlope=None, RescaleIntercept=None), deep(RescaleSlope="2"), deep(RescaleIntercept="2")),
        *files(deep(RescaleSlope="0", RescaleIntercept="5")),
        text_for("7.125", "7,125", RescaleSlope="7.125", RescaleIntercept="0"),
    ],
    "Modality LUT, over signed or unsigned pixels": lambda _: files(
        modality(table([4096, 0, 16], words(ENTRIES), ModalityLUTType="US")),
        modality(table([4096, 63488, 16], words(ENTRIES), ModalityLUTType="US"), PixelRepresentation=1),
    ),
    "Modality LUT that is empty or has no descriptor": lambda _: files(
        modality(table([4096, 0, 16], b"")), modality(item(ModalityLUTType="US")), deep(ModalityLUTSequence=[])
    ),
    "VOI LUT of 8 to 16 bits an entry, in words or bytes, as US, OW or UN": lambda _: files(
        *(voi(table([4096, 0, bits], words(ENTRIES >> (12 - min(bits, 12))), "OW")) for bits in range(8, 17)),
        voi(table([4096, 0, 8], (ENTRIES >> 4).tolist(), "US")),
        voi(table([4096, 0, 8], (ENTRIES >> 4).astype(np.uint8).tobytes())),
        voi(table([0, 0, 16], words(np.arange(65536)), "UN")),
    ),
    "VOI LUT of another length than its descriptor says": lambda _: files(
        voi(table([4096, 0, 12], words(ENTRIES[:1000]))), voi(table([1000, 0, 12], words(ENTRIES)))
    ),
    "VOI LUT that is empty or has no descriptor": lambda _: files(voi(table([4096, 0, 12], b"")), voi(item())),
    "VOI LUT Sequence without an item": lambda _: files(deep(VOILUTSequence=[])),
    "Window: linear, linear exact, sigmoid; the first of several": lambda _: files(
        *(
            deep(WindowCenter=["2000", "1"], WindowWidth=["900", "2"], VOILUTFunction=function)
            for function in ("LINEAR", "LINEAR_EXACT", "SIGMOID")
        )
    ),
    "Window Center or Width empty, missing, with a decimal comma, or a width of 0": lambda _: [
        *files(deep(WindowCenter=None, WindowWidth="9"), deep(WindowCenter="9"), deep(WindowWidth="9")),
        *files(deep(WindowCenter="9", WindowWidth="0")),
        text_for("40.125", "40,125", WindowCenter="40.125", WindowWidth="9"),
    ],
    "Several windows, the first of which can't be used": lambda _: files(
        deep(WindowCenter=["40", "2000"], WindowWidth=["0", "900"])
    ),
    "VOI LUT Function that the standard doesn't have": lambda _: files(
        deep(WindowCenter="2000", WindowWidth="900", VOILUTFunction="LOG")
    ),
    "MONOCHROME1 and MONOCHROME2, in capitals or not": lambda _: [
        *files(deep(PhotometricInterpretation="MONOCHROME1"), deep()),
        encode(deep()).replace(b"MONOCHROME2", b"Monochrome2"),
    ],
    "Presentation LUT Shape that contradicts the Photometric Interpretation": lambda _: files(
        deep(PresentationLUTShape="INVERSE"),
        deep(PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="IDENTITY"),
    ),
    "Pixel Padding Value and Range Limit": lambda _: files(deep(PixelPaddingValue=0, PixelPaddingRangeLimit=5)),
    "Pixel Padding Value that is no number, or that no pixel can be": lambda _: [
        encode(deep(PixelPaddingValue=0)).replace(b"\x28\0\x20\1US\2\0\0\0", b"\x28\0\x20\1LO\2\0ab"),
        encode(dataset(np.arange(4, dtype=np.uint8).reshape(2, 2), PixelPaddingValue=0xFFFF)),
    ],
    "Enhanced files: spacing, rescale and window in functional groups": lambda _: [enhanced()],
    "RGB of any depth, YBR_FULL, planar or not": lambda _: files(
        dataset(COLOURS),
        dataset(COLOURS.astype(np.uint16) << 8),
        dataset(COLOURS, PhotometricInterpretation="YBR_FULL"),
        dataset(COLOURS, PlanarConfiguration=1, PixelData=COLOURS.transpose(2, 0, 1).tobytes()),
    ),
    "Palette of 8 to 16 bits an entry, in words or bytes": lambda _: [
        *(palette([value << (bits - 8) for value in (0, 80, 160, 255)], 4, bits) for bits in range(8, 17)),
        palette([0, 80, 160, 255], 4, 8, packed=True),
    ],
    "Palette of another length than its descriptor says": lambda _: [palette([0, 80 << 8, 160 << 8, 255 << 8], 9, 16)],
    "Palette in segments": lambda _: [segmented([0, 1, 0, 1, 3, 255 << 8])],
    "Palette in segments that make more than 65,536 entries": lambda _: [segmented([0, 1, 0, *[1, 40000, 9] * 2])],
    "Palette without entries": lambda _: [palette([], 4, 16)],
    "Pixels that are not square: Pixel Spacing, Imager or Nominal Scanned Pixel Spacing, Pixel Aspect Ratio": (
        lambda _: files(
            *(
                deep(DEEP, **{keyword: ["2", "1"]})
                for keyword in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio")
            )
        )
    ),
    "Spacing that can't be used": lambda _: files(deep(PixelSpacing=["0", "0"]), deep(ImagerPixelSpacing=["1", "99"])),
    "A whole slide, TILED_FULL or TILED_SPARSE, in a file that fits": lambda _: files(
        slide(WHOLE, 32), slide(WHOLE, 32, list(range(6)))
    ),
    "A whole slide with places that no tile covers": lambda _: files(slide(WHOLE, 32, [0, 3])),
    "A whole slide that is too large": lambda _: files(slide(WHOLE, 32, TotalPixelMatrixRows=80_000)),
    "A whole slide that lacks tiles": lambda _: files(slide(WHOLE, 32, NumberOfFrames=2)),
}


def test_the_page_and_the_files_are_of_the_same_forms() -> None:
    assert rows("DICOM").keys() == MAKERS.keys()


@pytest.mark.parametrize("form", MAKERS)
def test_the_page_is_right(form: str, tmp_path: Path) -> None:
    verdict, _, said = rows("DICOM")[form].partition(": ")
    instance = MAKERS[form](tmp_path)
    assert instance
    for data in instance:
        if verdict == "refused":
            with pytest.raises(InputError, match=r"DICOM|picture|pixels|slide") as caught:
                load_image(data)
            assert said in caught.value.message or said in caught.value.message.replace("Missing", "missing")
        else:
            picture = load_image(data)
            assert np.ptp(np.asarray(picture.image)) == 255 or "slide" in form or form.startswith(("RGB", "VOI LUT of"))
            assert said in " ".join(picture.notes)
            assert bool(picture.notes) == bool(said), picture.notes
