"""A DICOM file as the picture that a viewer would show: decoded, rescaled, windowed, black on the right side.

The steps are those of the standard's grayscale pipeline (PS3.4 N.2): stored values → modality LUT or
rescale → VOI LUT or window → shades, inverted for MONOCHROME1. Only the frame asked for is decoded.
Needs the extra ``dicom``: pydicom, and the decoders for compressed files that it finds by itself
(GDCM for JPEG, JPEG-LS and JPEG 2000; RLE is pydicom's own).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import numpy.typing as npt

from edgekit.errors import EdgeKitError, InputError, MissingExtra
from edgekit.inputs.grey import Shades, Values, by_depth, spread, unit

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.uid import UID

MAX_INFLATED = 512 * 2**20  # bytes that a deflated file may grow to
_DEFLATED = b"1.2.840.10008.1.2.1.99"
# How the other formats begin: PNG, JPEG, BMP, TIFF of either byte order, WebP.
_OTHERS = re.compile(rb"\x89PNG|\xff\xd8\xff|BM|II[*+]\0|MM\0[*+]|RIFF....WEBP", re.DOTALL)
_HINT = "Export it from the viewer or PACS as PNG, or as uncompressed DICOM."


def is_dicom(head: bytes, name: str) -> bool:
    """Whether a file that begins with ``head`` (132 bytes) is DICOM.

    Old files have no preamble and start with an element of group 2 or 8, as no other picture does. The
    name decides only where the content says nothing.
    """
    bare = len(head) > 8 and head[0] in (2, 8) and head[1] == 0 and head[3] == 0
    named = name.lower().endswith((".dcm", ".dicom")) and not _OTHERS.match(head)
    return head[128:132] == b"DICM" or bare or named


def read_dicom(stream: BinaryIO, name: str, frame: int | None, check_size: Callable[[int, int], None]) -> Shades:
    """The picture in ``stream``, uint8 ``[rows, columns]`` or ``[rows, columns, 3]`` (RGB).

    ``frame`` counts from 0; None takes the middle one. ``check_size(width, height)`` is asked before
    anything is decoded. :class:`InputError` for what holds no picture or can't be decoded,
    :class:`MissingExtra` without pydicom or without a decoder that the extra brings.
    """
    try:
        import pydicom
    except ImportError:
        raise MissingExtra("Reading DICOM", "dicom") from None
    try:
        _check_inflated(stream, name)
        header = pydicom.dcmread(stream, stop_before_pixels=True, force=True)
        if "Rows" not in header or "Columns" not in header:
            raise InputError(f"{name} holds no picture", "Reports, plans and directories are DICOM too; give an image.")
        check_size(int(header.Columns), int(header.Rows))
        frame = _frame(header, name, frame)
        _flatten(header, frame)
        stored = _decode(stream, header, frame)
        return _colour(stored, header) if stored.ndim == 3 or _is_palette(header) else _shades(stored, header)
    except EdgeKitError:
        raise
    except Exception as error:  # pydicom and its decoders raise anything on damaged files
        raise InputError(f"{name} can't be read as DICOM: {_reason(error)}", _HINT) from error


def _reason(error: Exception) -> str:
    """An error in one line; pydicom puts whole tracebacks into some."""
    line = " ".join(str(error).partition("Traceback")[0].split())
    return line[:300] or type(error).__name__


def _check_inflated(stream: BinaryIO, name: str) -> None:
    """Refuse a deflated file that would fill the memory: pydicom inflates it whole.

    The data set starts behind the meta group, whose length is the first element after "DICM".
    """
    head = stream.read(1024)
    if _DEFLATED in head and head[128:132] == b"DICM":
        stream.seek(144 + int.from_bytes(head[140:144], "little"))
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        size, pending = 0, stream.read()
        while pending and size <= MAX_INFLATED:
            size += len(inflate.decompress(pending, 2**24))
            pending = inflate.unconsumed_tail
        if size > MAX_INFLATED:
            raise InputError(f"{name} inflates to more than {MAX_INFLATED // 2**20} MiB", _HINT)
    stream.seek(0)


def _frame(header: Dataset, name: str, frame: int | None) -> int:
    count = int(header.get("NumberOfFrames") or 1)
    if frame is None:
        return max(0, count - 1) // 2
    if not 0 <= frame < count:
        raise InputError(f"{name} has no frame {frame}", f"It has {count}, counted from 0.")
    return frame


def _flatten(header: Dataset, frame: int) -> None:
    """Put the frame's own rescale and window, which enhanced files keep in groups, where plain files have them."""
    for keyword, index in (("SharedFunctionalGroupsSequence", 0), ("PerFrameFunctionalGroupsSequence", frame)):
        groups = header.get(keyword) or []
        for part in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
            for item in (groups[index].get(part) or [])[:1] if index < len(groups) else []:
                header.update(item)


def _decode(stream: BinaryIO, header: Dataset, frame: int) -> Values:
    """One frame's stored values, ``[rows, columns]`` or ``[rows, columns, samples]`` as RGB."""
    import pydicom
    from pydicom.pixels import get_decoder, pixel_array

    syntax = header.file_meta.get("TransferSyntaxUID") if hasattr(header, "file_meta") else None
    if syntax is None or syntax == _DEFLATED.decode():
        stream.seek(0)
        whole = pydicom.dcmread(stream, force=True)
        whole.file_meta.TransferSyntaxUID = _native_syntax(whole)
        return np.asarray(pixel_array(whole, index=frame))
    if syntax.is_encapsulated and not get_decoder(syntax).is_available:
        raise MissingExtra(f"Reading {syntax.name}", "dicom")
    return np.asarray(pixel_array(stream, index=frame))


def _native_syntax(dataset: Dataset) -> UID:
    """How a data set that was read without a usable transfer syntax is laid out."""
    from pydicom import uid

    implicit, little = dataset.original_encoding
    if not little:
        return uid.ExplicitVRBigEndian
    return uid.ImplicitVRLittleEndian if implicit else uid.ExplicitVRLittleEndian


def _is_palette(header: Dataset) -> bool:
    return bool(header.get("PhotometricInterpretation") == "PALETTE COLOR")


def _colour(stored: Values, header: Dataset) -> Shades:
    """RGB of any depth, or indices into a palette, as 8-bit RGB: the high byte, whatever fills the low ones."""
    depth = int(header.get("BitsStored") or 8)
    if _is_palette(header):
        from pydicom.pixels import apply_color_lut

        _swap_palette(header)
        stored = apply_color_lut(stored, header)
        depth = stored.dtype.itemsize * 8
    return (stored >> max(0, depth - 8)).astype(np.uint8)


def _swap_palette(header: Dataset) -> None:
    """Turn a big-endian file's palette round: pydicom reads its entries as little-endian.

    It does so with plain tables only; segmented ones it reads as they are written.
    """
    if header.original_encoding[1]:
        return
    for colour in ("Red", "Green", "Blue"):
        keyword = f"{colour}PaletteColorLookupTableData"
        if keyword in header:
            header[keyword].value = np.frombuffer(header[keyword].value, ">u2").astype("<u2").tobytes()


def _shades(stored: Values, header: Dataset) -> Shades:
    """Stored grey values as a viewer shows them; padding is black and does not count."""
    from pydicom.pixels import apply_modality_lut

    valid = ~_padding(stored, header)
    values = np.asarray(apply_modality_lut(stored, header))
    if header.get("VOILUTSequence"):
        shades = _through_lut(values, header)
    else:
        window = _window(header)
        shades = spread(values, valid) if window is None else _through_window(values, *window)
    if header.get("PhotometricInterpretation") == "MONOCHROME1":
        shades = 255 - shades
    return np.where(valid, shades, np.uint8(0))


def _padding(stored: Values, header: Dataset) -> npt.NDArray[np.bool_]:
    """Where values stand for "nothing was measured here" (PS3.3 C.7.5.1.1.2), one value or a range."""
    if header.get("PixelPaddingValue") is None or stored.dtype.kind not in "iu":
        return np.zeros(stored.shape, bool)
    limit = header.get("PixelPaddingRangeLimit")
    ends = [int(header.PixelPaddingValue), int(header.PixelPaddingValue if limit is None else limit)]
    low, high = sorted(np.array(ends).astype(stored.dtype).tolist())  # signed values may be written unsigned
    padding = np.asarray((stored >= low) & (stored <= high))
    return np.zeros_like(padding) if padding.all() else padding


def _through_lut(values: Values, header: Dataset) -> Shades:
    """The first VOI LUT; its depth is judged by its entries, since what its descriptor says is often wrong."""
    from pydicom.pixels import apply_voi

    count, first, _ = header.VOILUTSequence[0].LUTDescriptor
    inputs = np.arange(first, first + (count or 2**16), dtype=np.int32)  # 0 stands for 65,536 entries
    entries = apply_voi(inputs, header, index=0)
    shades = apply_voi(np.rint(values).astype(np.int32), header, index=0)
    return by_depth(shades, int(entries.max()))


def _window(header: Dataset) -> tuple[str, float, float] | None:
    """Function, centre and width of the first window; None where there is none, or none that can be used."""
    first = [np.ravel(header.get(keyword))[:1] for keyword in ("WindowCenter", "WindowWidth")]
    if any(value.size == 0 or value[0] is None for value in first):
        return None
    function = str(header.get("VOILUTFunction") or "LINEAR")
    centre, width = (float(value[0]) for value in first)
    usable = np.isfinite([centre, width]).all() and (width >= 1 if function == "LINEAR" else width > 0)
    return (function, centre, width) if usable else None


def _through_window(values: Values, function: str, centre: float, width: float) -> Shades:
    """PS3.3 C.11.2.1.2 and C.11.2.1.3, with black at 0 and white at 1."""
    if function == "SIGMOID":
        return unit(1 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -700, 700))))
    if function == "LINEAR_EXACT":
        return unit((values - centre) / width + 0.5)
    return unit((values - (centre - 0.5)) / max(width - 1, 1e-6) + 0.5)
