"""What a file is that is no picture EdgeKit reads: named by its first bytes, with what to do about it.

Few decoders stand open to whatever arrives, so formats that any viewer can save as PNG are named, not read: a GIF
holds 256 colours and often a film, JPEG 2000, AVIF and HEIC come from phones and archives whose viewers export.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

HEAD = 2048  # bytes that the signs below are looked for in
_UNPACKED = 352  # a NIfTI header and its sign

_PICTURE = "Save it as PNG or JPEG in an image viewer, and give that."
_VOLUME = "Export the slice that the question is about as PNG, or give the original DICOM."
_FILM = "Export the frame that the question is about as PNG."
_DOCUMENT = "Export the picture in it as PNG, and give that."
_ARCHIVE = "Unpack it, and give one picture."
_DATA = "Give a picture: PNG, JPEG, BMP, TIFF, WebP or DICOM."


@dataclass(frozen=True)
class Format:
    """What a file is ("a GIF picture"), and what its owner can do."""

    name: str
    hint: str


_SIGNS: tuple[tuple[bytes, Format], ...] = (
    (rb"GIF8[79]a", Format("a GIF picture", _PICTURE)),
    (rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51", Format("a JPEG 2000 picture", _PICTURE)),
    (rb"\0\0\0\x0cJXL \r\n\x87\n|\xff\x0a", Format("a JPEG XL picture", _PICTURE)),
    (rb"\xff\xd8\xff\xf7", Format("a JPEG-LS picture", _PICTURE)),
    (rb"II\xbc", Format("a JPEG XR picture", _PICTURE)),
    (rb"....ftypavi[fs]", Format("an AVIF picture", _PICTURE)),
    (rb"....ftyp(?:he[ivx][cfmsx]|mif1|msf1)", Format("a HEIC picture", _PICTURE)),
    (rb"....ftyp|....moov|\x1aE\xdf\xa3|RIFF....AVI |\0\0\x01[\xb3\xba]|OggS", Format("a film", _FILM)),
    (rb"(?i:\s*<(?:(?:\?xml|!--|!DOCTYPE).{0,2000}<)?svg[\s>])", Format("an SVG drawing", _PICTURE)),
    (rb"8BPS", Format("a Photoshop document", _PICTURE)),
    (rb"gimp xcf", Format("a GIMP document", _PICTURE)),
    (rb"P[1-7][\s#]", Format("a Netpbm picture", _PICTURE)),
    (rb"\0\0[\x01\x02]\0[^\0]\0", Format("a Windows icon", _PICTURE)),
    (rb"v/1\x01", Format("an OpenEXR picture", _PICTURE)),
    (rb"#\?R(?:ADIANC|GB)E", Format("a Radiance picture", _PICTURE)),
    (rb"AT&TFORM", Format("a DjVu document", _DOCUMENT)),
    (rb"%PDF-", Format("a PDF document", _DOCUMENT)),
    (rb"%!PS", Format("a PostScript document", _DOCUMENT)),
    (rb"\{\\rtf|\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Format("an office document", _DOCUMENT)),
    (rb"(?i:\s*<(?:!DOCTYPE html|html))", Format("a web page", _DOCUMENT)),
    (rb".{344}(?:n\+1|ni1)\0|\x1c\x02\0\0n\+2\0|\0\0\x02\x1cn\+2\0", Format("a NIfTI volume", _VOLUME)),
    (rb"NRRD000", Format("an NRRD volume", _VOLUME)),
    (rb"(?:ObjectType|NDims) *=", Format("a MetaImage volume", _VOLUME)),
    (rb"SIMPLE  =", Format("a FITS file", _VOLUME)),
    (rb"\x89HDF\r\n\x1a\n|CDF[\x01\x02]", Format("an HDF5 or NetCDF file (MINC volumes are)", _VOLUME)),
    (rb"\x93NUMPY", Format("a NumPy array", _DATA)),
    (rb"PK\x03\x04", Format("a ZIP archive (office documents are, too)", _ARCHIVE)),
    (rb"\x1f\x8b|BZh[1-9]|\xfd7zXZ\0|7z\xbc\xaf\x27\x1c|Rar!|\x28\xb5\x2f\xfd", Format("a compressed file", _ARCHIVE)),
    (rb".{257}ustar", Format("a tar archive", _ARCHIVE)),
)
_COMPILED = [(re.compile(sign, re.DOTALL), kind) for sign, kind in _SIGNS]


_OURS = {
    "PNG": rb"\x89PNG",
    "JPEG": rb"\xff\xd8\xff",
    "BMP": rb"BM",
    "TIFF": rb"II[*+]\0|MM\0[*+]",
    "WebP": rb"RIFF....WEBP",
}


def ours(head: bytes) -> str | None:
    """Return the format that Pillow is to read, by the same bytes: what it is when Pillow then does not know it."""
    return next((name for name, sign in _OURS.items() if re.match(sign, head, re.DOTALL)), None)


def foreign(head: bytes) -> Format | None:
    """Return what begins with ``head`` (:data:`HEAD` bytes where there are as many);
    None for all that has no sign here.
    """
    kind = next((kind for sign, kind in _COMPILED if sign.match(head)), None)
    if kind is not None and head.startswith(b"\x1f\x8b"):
        return foreign(_unpacked(head)) or kind
    return kind


def _unpacked(head: bytes) -> bytes:
    """The beginning of what gzip packed: volumes mostly are. Another gzip within counts for itself."""
    try:
        inner = zlib.decompressobj(31).decompress(head, _UNPACKED)
    except zlib.error:
        return b""
    return b"" if inner.startswith(b"\x1f\x8b") else inner
