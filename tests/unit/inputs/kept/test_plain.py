"""Of pictures that are not DICOM nothing is kept but pixels; grey stays as deep as it came."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin, TiffImagePlugin

from edgekit.inputs.images import load_image
from edgekit.inputs.kept.keep import keep, masked
from edgekit.inputs.kept.mask import Rectangle
from edgekit.inputs.kept.picture import PictureWarning
from edgekit.inputs.kept.plain import deep_grey
from tests.kept import kept_alike
from tests.unit.inputs.written import chunk, png, tiff

NAME = b"QUIXOTE"
RGB = np.random.default_rng(3).integers(0, 256, (12, 9, 3), dtype=np.uint8)
DEEP = np.arange(0, 4080, 34, dtype=np.uint16).reshape(12, 10)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def telling() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010E] = exif[0x013B] = exif[0x9286] = NAME.decode()  # description, artist, comment
    exif.get_ifd(0x8825)[0x001D] = NAME.decode()  # GPS
    exif[0x0112] = 6
    return exif


def png_of_all() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", NAME.decode())
    info.add_text("Author", NAME.decode(), zip=True)
    info.add_itxt("XML:com.adobe.xmp", NAME.decode())
    plain = saved(Image.fromarray(RGB), "PNG", pnginfo=info, exif=telling(), icc_profile=NAME * 40, dpi=(72, 72))
    return plain[:-12] + chunk(b"quIx", NAME) + plain[-12:] + NAME * 20


def jpeg_of_all() -> bytes:
    plain = saved(Image.fromarray(RGB), "JPEG", exif=telling(), icc_profile=NAME * 40, comment=NAME, quality=90)
    segments = [
        (0xE0, b"JFXX\0" + NAME),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + NAME),
        (0xED, b"Photoshop 3.0\0" + NAME),
    ]
    extra = b"".join(struct.pack(">BBH", 0xFF, marker, 2 + len(data)) + data for marker, data in segments)
    return plain[:2] + extra + plain[2:] + NAME * 20


def tiff_of_all() -> bytes:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for tag in (269, 270, 271, 272, 285, 305, 306, 315, 316, 33432, 65000):
        tags[tag] = NAME.decode()
        tags.tagtype[tag] = 2
    second = Image.fromarray(np.frombuffer(NAME * 9, np.uint8).reshape(9, 7))
    return saved(Image.fromarray(RGB), "TIFF", tiffinfo=tags, save_all=True, append_images=[second]) + NAME


def webp_of_all() -> bytes:
    return saved(Image.fromarray(RGB), "WEBP", lossless=True, exif=telling(), icc_profile=NAME * 40, xmp=NAME)


def bmp_of_all() -> bytes:
    plain = saved(Image.fromarray(RGB), "BMP")
    (start,) = struct.unpack_from("<I", plain, 10)
    return plain[:10] + struct.pack("<I", start + 70) + plain[14:start] + NAME * 10 + plain[start:] + NAME * 9


def colours_nobody_sees() -> bytes:
    """A palette's unused colours, and letters in the transparency."""
    image = Image.new("P", (9, 7))
    image.putpalette([0, 0, 0, *NAME * 9])
    return saved(image, "PNG", transparency=NAME)


WAYS: dict[str, Callable[[], bytes]] = {
    "PNG": png_of_all,
    "JPEG": jpeg_of_all,
    "TIFF": tiff_of_all,
    "WebP": webp_of_all,
    "BMP": bmp_of_all,
    "palette": colours_nobody_sees,
    "alpha": lambda: saved(Image.merge("RGBA", [*Image.new("RGB", (7, 9), "teal").split(), letters()]), "PNG"),
}


def letters() -> Image.Image:
    return Image.fromarray(np.frombuffer(NAME * 9, np.uint8).reshape(9, 7))


def chunks(content: bytes) -> dict[bytes, bytes]:
    """A PNG's chunks by their kinds, those of one kind joined."""
    parts: dict[bytes, bytes] = {}
    at = 8
    while at < len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        parts[kind] = parts.get(kind, b"") + content[at + 8 : at + 8 + length]
        at += 12 + length
    return parts


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_passed_on_but_pixels(way: str) -> None:
    content = WAYS[way]()
    kept = kept_alike(content)
    parts = chunks(kept.file)
    assert parts.keys() == {b"IHDR", b"IDAT", b"IEND"}
    for everything in (kept.file, zlib.decompress(parts[b"IDAT"]), load_image(kept.file).image.tobytes()):
        assert NAME not in everything
    assert kept.warnings == (PictureWarning("burned_in_unknown", ("format",)),)
    assert kept.media_type == "image/png"


def test_an_orientation_is_applied() -> None:
    kept = keep(saved(Image.fromarray(RGB), "PNG", exif=telling()))
    assert (kept.facts.width, kept.facts.height) == (12, 9)
    assert (np.asarray(Image.open(io.BytesIO(kept.file))) == np.rot90(RGB, -1)).all()


@pytest.mark.parametrize(
    "content", [png(DEEP[..., None]), tiff(DEEP[..., None], 1), tiff(DEEP[..., None], 1, order=">")]
)
def test_deep_grey_stays_deep(content: bytes) -> None:
    kept = kept_alike(content)
    values = np.asarray(Image.open(io.BytesIO(kept.file)))
    assert (values == DEEP).all()
    assert (kept.facts.bits, kept.facts.colour) == (12, False)


@pytest.mark.parametrize(
    "content",
    [
        png((DEEP // 17)[..., None].astype(np.uint16)),
        tiff(DEEP[..., None], 0),
        tiff(DEEP[..., None].astype(np.float32), 1),
        tiff(DEEP[..., None].astype(np.int16) - 2000, 1),
    ],
    ids=["8 bits in 16", "white is zero", "floats", "signed"],
)
def test_other_grey_is_kept_as_it_is_drawn(content: bytes) -> None:
    kept = kept_alike(content)
    assert (kept.facts.bits, kept.facts.colour) == (8, False)
    assert Image.open(io.BytesIO(kept.file)).mode == "L"


@pytest.mark.parametrize(("image", "deep"), [(Image.fromarray(DEEP), True), (Image.fromarray(RGB), False)])
def test_which_pictures_are_deep(image: Image.Image, deep: bool) -> None:
    assert (deep_grey(image) is not None) == deep


@pytest.mark.parametrize("brightest_inside", [True, False])
def test_masked_deep_grey_is_drawn_as_before_elsewhere(brightest_inside: bool) -> None:
    values = DEEP.copy()
    values[3, 3] = 65_000 if brightest_inside else 0
    before = np.asarray(load_image(png(values[..., None])).image)
    done = masked(png(values[..., None]), [Rectangle(2, 2, 3, 4)])
    after = np.asarray(load_image(done.file).image)
    inside = np.zeros(DEEP.shape, bool)
    inside[2:6, 2:5] = True
    assert (after[inside] == 0).all()
    assert (after[~inside] == before[~inside]).all()
    assert done.facts.bits == (8 if brightest_inside else 12)


def test_masked_colour() -> None:
    done = masked(saved(Image.fromarray(RGB | 1), "PNG"), [Rectangle(0, 0, 4, 100), Rectangle(5, 5, 1, 1)])
    expected = RGB | 1
    expected[:, :4] = expected[5, 5] = 0
    assert (np.asarray(load_image(done.file).image) == expected).all()
