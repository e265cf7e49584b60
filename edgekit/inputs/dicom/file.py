"""A file opened: its header, how its pixels are stored, and where they lie. Damage shows here, before any decoding."""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from edgekit.errors import InputError
from edgekit.inputs.dicom.header import complete
from edgekit.inputs.dicom.syntax import (
    DEFLATED,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    HINT,
    IMPLICIT_LITTLE,
    NATIVE,
    check_syntax,
    name_of,
)
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from pydicom import Dataset

MAX_INFLATED = 512 * 2**20  # bytes that a deflated file may grow to
_AGAIN = "Copy or export the file again."
_KEYWORDS = {b"\x08\0": "FloatPixelData", b"\x09\0": "DoubleFloatPixelData", b"\x10\0": "PixelData"}
_UNDEFINED = 2**32 - 1  # the length of pixel data that are encapsulated


@dataclass(frozen=True, kw_only=True)
class DicomFile:
    """An opened file has its header read, and knows where its pixel data lie.

    * ``stream``: the file, ``header``: its elements without pixel data
    * ``syntax``: the UID of its transfer syntax
    * ``keyword``, ``vr``: the element that holds pixel data, and its value representation
    * ``start``, ``length``: their first byte in ``stream`` and their bytes; None where they are encapsulated
    * ``items``: the first byte and the length of each item of encapsulated ones
    """

    stream: BinaryIO
    header: Dataset
    syntax: str
    keyword: str
    vr: str
    start: int
    length: int | None
    items: tuple[tuple[int, int], ...]

    @property
    def words(self) -> str:
        """The numpy dtype of 16-bit words in the header's tables."""
        return "<u2" if self.header.original_encoding[1] else ">u2"

    @property
    def options(self) -> dict[str, Any]:
        """What pydicom's decoders have to be told of the pixels."""
        from pydicom.pixels.utils import as_pixel_options

        settings: dict[str, Any] = {"pixel_keyword": self.keyword, "pixel_vr": self.vr, "correct_unused_bits": False}
        if self.keyword != "PixelData":
            settings["bits_stored"] = self.header.BitsAllocated  # pydicom 3.0.0 asks for it, and floats have none
        return {**as_pixel_options(self.header), **settings}

    def encoded(self, frame: int) -> bytes:
        """Return one frame of encapsulated pixel data, as it is encoded."""
        from pydicom.encaps import get_frame

        frames, fragments = int(self.header.NumberOfFrames), self.items[1:]  # the first item is a table of offsets
        if len(fragments) == frames:
            at, length = fragments[frame]
            self.stream.seek(at)
            return self.stream.read(length)
        self.stream.seek(self.start)
        offsets: Any = self.options.get("extended_offsets")
        return get_frame(self.stream, frame, number_of_frames=frames, extended_offsets=offsets)


def open_dicom(stream: BinaryIO, name: str, notes: list[str]) -> DicomFile:
    """Read the header of a DICOM file and find its pixels.

    :class:`~edgekit.errors.InputError` for a transfer syntax that can't be read, a file without a picture and one that
    is cut off.
    """
    import pydicom
    from pydicom.filereader import read_partial

    stream = _inflated(stream, name)
    meta = read_partial(stream, lambda tag, vr, length: True, force=True).file_meta
    syntax = meta.get("TransferSyntaxUID") if meta else None
    if syntax:
        check_syntax(str(syntax), name)
    stream.seek(0)
    header = pydicom.dcmread(stream, stop_before_pixels=True, force=True)
    if "Rows" not in header or "Columns" not in header:
        raise InputError(*_no_picture(header, name))
    complete(header, notes)
    keyword, vr, start, length = _pixels(stream, header, name)
    items = _items(stream, start) if length is None else ()
    file = DicomFile(
        stream=stream,
        header=header,
        syntax=str(syntax or _native(header)),
        keyword=keyword,
        vr=vr,
        start=start,
        length=length,
        items=items,
    )
    _check_pixels(file, name)
    return file


def _inflated(stream: BinaryIO, name: str) -> BinaryIO:
    """A deflated file as its data set alone, any other as it is.

    The data set starts behind the meta group, whose length is the first element after "DICM".
    """
    head = stream.read(1024)
    stream.seek(0)
    if DEFLATED.encode() not in head or head[128:132] != b"DICM":
        return stream
    stream.seek(144 + int.from_bytes(head[140:144], "little"))
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    data = inflate.decompress(stream.read(), MAX_INFLATED + 1)
    if len(data) > MAX_INFLATED:
        raise InputError(f"{name} inflates to more than {MAX_INFLATED // 2**20} MiB", HINT)
    if not inflate.eof:
        raise InputError(f"{name} is cut off: its deflated data have no end", _AGAIN)
    return io.BytesIO(data)


def _native(header: Dataset) -> str:
    """How a data set is laid out that was read without a transfer syntax."""
    implicit, little = header.original_encoding
    if not little:
        return EXPLICIT_BIG
    return IMPLICIT_LITTLE if implicit else EXPLICIT_LITTLE


def _pixels(stream: BinaryIO, header: Dataset, name: str) -> tuple[str, str, int, int | None]:
    """Which element holds the pixels, its VR, where its value begins and how long it says it is (PS3.5 7.1).

    pydicom leaves the stream where it stopped: before that element, or at the end.
    """
    head = stream.read(12)
    order: Literal["little", "big"] = "little" if header.original_encoding[1] else "big"
    element = head[2:4] if order == "little" else head[3:1:-1]
    if len(head) < 8 or element not in _KEYWORDS:
        raise InputError(f"{name} has a picture's header but no pixels", _AGAIN)
    explicit = head[4:6].isalpha()  # an implicit length of two letters would be pixels of more than 1 GiB
    at, vr = (8, head[4:6].decode()) if explicit else (4, "OW")
    length = int.from_bytes(head[at : at + 4], order)
    start = stream.tell() - len(head) + at + 4
    return _KEYWORDS[element], vr, start, None if length == _UNDEFINED else length


def _no_picture(header: Dataset, name: str) -> tuple[str, str]:
    """What a file without a picture is, and what to do."""
    kind = header.get("SOPClassUID")
    if kind is None:
        return (
            f"{name} is not DICOM, or holds no picture",
            "Reports, plans and directories are DICOM too; give an image.",
        )
    if "Image Storage" in kind.name:
        return f"{name} is a {kind.name} without its picture", _AGAIN
    return f"{name} holds no picture: it is a {kind.name}", "Give an image of the same study."


def _items(stream: BinaryIO, start: int) -> tuple[tuple[int, int], ...]:
    """The items that encapsulated pixel data consist of (PS3.5 A.4): where the value of each begins, and its length."""
    items: list[tuple[int, int]] = []
    at = start
    while True:
        stream.seek(at)
        head = stream.read(8)
        if head[:4] != b"\xfe\xff\x00\xe0" or len(head) < 8:
            return tuple(items)
        items.append((at + 8, int.from_bytes(head[4:], "little")))
        at += 8 + items[-1][1]


def _check_pixels(file: DicomFile, name: str) -> None:
    """Refuse what is cut off, and pixels that are stored otherwise than the transfer syntax says."""
    if (file.length is None) == (file.syntax in NATIVE):
        stored = "compressed" if file.length is None else "not compressed"
        said = f"it says {name_of(file.syntax)}, and its pixels are {stored}"
        raise InputError(f"{name} can't be read as DICOM: {said}", HINT)
    size = file.stream.seek(0, io.SEEK_END)
    end = sum(file.items[-1]) if file.items else file.start + (file.length or 0)
    if end > size:
        raise InputError(f"{name} is cut off: {format_bytes(end - size)} of its pixels are missing", _AGAIN)
