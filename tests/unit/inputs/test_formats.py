"""Files that are no picture EdgeKit reads: each named as what it is."""

from __future__ import annotations

import gzip
import io
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from edgekit.errors import InputError
from edgekit.inputs.formats import HEAD, foreign
from edgekit.inputs.images import load_image

PICTURE = Image.linear_gradient("L").resize((16, 16)).convert("RGB")


def saved(kind: str) -> bytes:
    stream = io.BytesIO()
    PICTURE.save(stream, kind)
    return stream.getvalue()


def nifti(order: str = "<", version: int = 1) -> bytes:
    if version == 2:
        return struct.pack(order + "i", 540) + b"n+2\0\r\n\x1a\n" + bytes(528)
    return struct.pack(order + "i", 348) + bytes(340) + b"n+1\0" + bytes(36)


def brand(name: bytes) -> bytes:
    """The first box of an ISO base media file, as HEIF and MP4 are."""
    return struct.pack(">I4s4sI4s", 20, b"ftyp", name, 0, b"mif1") + bytes(64)


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.png", saved("PNG"))
    return stream.getvalue()


def codestream() -> bytes:
    stream = io.BytesIO()
    PICTURE.save(stream, "JPEG2000", no_jp2=True)
    return stream.getvalue()


FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "GIF": (lambda: saved("GIF"), "a GIF picture"),
    "JPEG 2000": (lambda: saved("JPEG2000"), "a JPEG 2000 picture"),
    "JPEG 2000 codestream": (codestream, "a JPEG 2000 picture"),
    "AVIF": (lambda: brand(b"avif"), "an AVIF picture"),
    "HEIC": (lambda: brand(b"heic"), "a HEIC picture"),
    "HEIF": (lambda: brand(b"mif1"), "a HEIC picture"),
    "JPEG XL": (lambda: b"\xff\x0a" + bytes(40), "a JPEG XL picture"),
    "JPEG XL in boxes": (lambda: b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40), "a JPEG XL picture"),
    "JPEG-LS": (lambda: b"\xff\xd8\xff\xf7" + bytes(40), "a JPEG-LS picture"),
    "JPEG XR": (lambda: b"II\xbc\1" + bytes(40), "a JPEG XR picture"),
    "SVG": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
    "SVG with a prologue": (lambda: b'<?xml version="1.0"?>\n<!-- plot -->\n<svg width="3"/>', "an SVG drawing"),
    "PDF": (lambda: saved("PDF"), "a PDF document"),
    "PostScript": (lambda: saved("EPS"), "a PostScript document"),
    "web page": (lambda: b"<!DOCTYPE html><html></html>", "a web page"),
    "Netpbm": (lambda: saved("PPM"), "a Netpbm picture"),
    "icon": (lambda: saved("ICO"), "a Windows icon"),
    "Photoshop": (lambda: b"8BPS\0\1" + bytes(40), "a Photoshop document"),
    "film": (lambda: brand(b"isom"), "a film"),
    "NIfTI": (nifti, "a NIfTI volume"),
    "big-endian NIfTI": (lambda: nifti(">"), "a NIfTI volume"),
    "NIfTI-2": (lambda: nifti("<", 2), "a NIfTI volume"),
    "compressed NIfTI": (lambda: gzip.compress(nifti()), "a NIfTI volume"),
    "NRRD": (lambda: b"NRRD0004\ntype: short\n", "an NRRD volume"),
    "MetaImage": (lambda: b"ObjectType = Image\nNDims = 3\n", "a MetaImage volume"),
    "MINC": (lambda: b"\x89HDF\r\n\x1a\n" + bytes(40), "MINC volumes are"),
    "gzip": (lambda: gzip.compress(saved("PNG")), "a compressed file"),
    "gzip in gzip": (lambda: gzip.compress(gzip.compress(nifti())), "a compressed file"),
    "ZIP": (zipped, "a ZIP archive"),
    "NumPy": (lambda: b"\x93NUMPY\1\0" + bytes(120), "a NumPy array"),
}


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("name", ["upload", "x.png", "x.dcm"])
def test_it_is_named_whatever_it_is_called(kind: str, name: str, tmp_path: Path) -> None:
    make, words = FILES[kind]
    (tmp_path / name).write_bytes(make())
    with pytest.raises(InputError, match=words) as caught:
        load_image(tmp_path / name)
    assert "damaged" not in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF", "WEBP"])
def test_no_picture_that_is_read_bears_a_sign(kind: str) -> None:
    assert foreign(saved(kind)[:HEAD]) is None
    assert foreign(bytes([8, 0, 5, 0]) + saved(kind)[:HEAD]) is None


def test_what_begins_like_a_picture_but_is_none_is_called_by_its_name() -> None:
    with pytest.raises(InputError, match="is a JPEG of a rare kind"):
        load_image(b"\xff\xd8\xff\xe0" + bytes(99))


def test_dicom_may_hide_behind_any_preamble() -> None:
    """PS3.10 leaves 128 bytes free, so that a file may be a TIFF or a PDF, too."""
    with pytest.raises(InputError, match="DICOM"):
        load_image(b"%PDF-1.4".ljust(128, b"\0") + b"DICM" + bytes(9))


@pytest.mark.parametrize("text", [b"<!--" * 512, b"<?xml " * 341, b" " * HEAD, b"\n<" * 1024])
def test_looking_takes_no_time(text: bytes) -> None:
    start = time.process_time()
    assert foreign(text[:HEAD]) is None
    assert time.process_time() - start < 1
