"""Transfer syntaxes (PS3.5 A, PS3.6 A): how each is called, and why some are not read.

What is not refused here is read: by pydicom with the decoders of the extra ``dicom``, or by :mod:`.codecs`.
"""

from __future__ import annotations

from edgekit.errors import InputError

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
ENCAPSULATED_UNCOMPRESSED = "1.2.840.10008.1.2.1.98"
DEFLATED = "1.2.840.10008.1.2.1.99"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
JPEG_SPECTRAL = "1.2.840.10008.1.2.4.53"
JPEG_PROGRESSIVE = "1.2.840.10008.1.2.4.55"
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
RLE = "1.2.840.10008.1.2.5"
GE_BIG_PIXELS = "1.2.840.113619.5.2"
"""GE's private syntax: Implicit VR Little Endian, with big-endian samples."""

NATIVE = {IMPLICIT_LITTLE, EXPLICIT_LITTLE, DEFLATED, EXPLICIT_BIG, GE_BIG_PIXELS}
"""Those whose pixel data are samples one after the other; in all others each frame is encoded by itself."""

_JPEG = "1.2.840.10008.1.2.4."
BY_PRECISION = {_JPEG + last for last in ("80", "81", "90", "91", "201", "202", "203")}
"""JPEG-LS and JPEG 2000: samples have the bits that the codestream says, whatever the header does."""

_UNNAMED = {  # what pydicom 3.0's dictionary lacks
    _JPEG + "110": "JPEG XL Lossless",
    _JPEG + "111": "JPEG XL JPEG Recompression",
    _JPEG + "112": "JPEG XL",
    DEFLATED_FRAMES: "Deflated Image Frame Compression",
    GE_BIG_PIXELS: "GE Private Implicit VR Big Endian",
}
_READ = {
    *NATIVE,
    *(ENCAPSULATED_UNCOMPRESSED, JPEG_BASELINE, JPEG_EXTENDED, JPEG_SPECTRAL, JPEG_PROGRESSIVE, DEFLATED_FRAMES),
    *BY_PRECISION,
    *(_JPEG + last for last in ("57", "70")),  # lossless
    RLE,
}
_NO_DECODER = "no decoder in the extra 'dicom' reads it"
_VIDEO = "it is a video; give one of its frames as a picture"
_ELSEWHERE = "its pixels are on a server, not in the file"
_REFUSED = {
    **{_JPEG + last: _NO_DECODER for last in ("52", "54", "56", *map(str, range(58, 67)))},  # retired processes
    **{_JPEG + last: _NO_DECODER for last in ("92", "93", "110", "111", "112")},
    **{_JPEG + last: _ELSEWHERE for last in ("94", "95", "204", "205")},
    **{_JPEG + last: _VIDEO for last in map(str, range(100, 109))},
    **{_JPEG + last + ".1": _VIDEO for last in map(str, range(100, 107))},
    **{"1.2.840.10008.1.2.7." + last: "it is a stream, not a file of pixels" for last in "123"},
    "1.2.840.10008.1.2.6.1": "it is a message, not a picture",
    "1.2.840.10008.1.2.6.2": "it is a message, not a picture",
    "1.2.840.10008.1.20": "it is Papyrus 3, which keeps its pictures elsewhere than DICOM does",
}
HINT = "Export the picture from the viewer or PACS as PNG, or as uncompressed DICOM."


def name_of(uid: str) -> str:
    """Return what the standard, or its maker, calls a transfer syntax; the UID itself where nobody says."""
    from pydicom.uid import UID_dictionary

    return _UNNAMED.get(uid) or UID_dictionary.get(uid, (uid,))[0]


def check_syntax(uid: str, name: str) -> None:
    """Raise :class:`~edgekit.errors.InputError` for a transfer syntax that can't be read, by name, with the reason."""
    if uid not in _READ:
        reason = _REFUSED.get(uid, "it is no transfer syntax that EdgeKit knows")
        raise InputError(f"{name} can't be read as DICOM: its pixels are {name_of(uid)}; {reason}", HINT)
