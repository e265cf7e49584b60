"""Each row of docs/reads.md on pictures, held against a picture of that form, or against transformers' processors."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil

from edgekit.checkpoint.pixels import image_spec
from edgekit.errors import CheckpointError, InputError
from edgekit.inputs.images import load_image
from edgekit.inputs.preprocess import preprocess
from tests.reads import rows
from tests.unit.inputs.test_formats import FILES
from tests.unit.inputs.test_preprocess import CLIP, CUT, EDGE, LARGER, MEAN, SQUARE, noise, source
from tests.unit.inputs.written import chunk, png, tiff

Pixels = npt.NDArray[Any]
ROWS = rows("Pictures")
RNG = np.random.default_rng(11)
RGB = RNG.integers(0, 256, (12, 8, 3)).astype(np.uint8)
ALPHA = RNG.integers(0, 256, (12, 8, 1)).astype(np.uint8)
DEEP = RNG.integers(0, 4096, (12, 8, 4)).astype(np.uint16)
DEEP[0, 0] = 4095


@dataclass(frozen=True)
class Case:
    """A file and the pixels that it shows; None: whatever they are, or none at all."""

    data: bytes
    pixels: Pixels | None = None
    frame: int | None = None


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def pillows(data: bytes) -> Case:
    return Case(data, np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


def eight_bits() -> Sequence[Case]:
    image = Image.fromarray(RGB)
    return [
        pillows(saved(image, kind, **({"lossless": True} if kind == "WEBP" else {})))
        for kind in ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
    ]


def several() -> Sequence[Case]:
    pages = [Image.fromarray(RGB // part) for part in (1, 2, 3)]
    data = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    return [Case(data, RGB), Case(data, RGB // 3, 2)]


def turned() -> Sequence[Case]:
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = np.rot90(RGB, -1)
    return [Case(saved(Image.fromarray(RGB), "PNG", exif=exif), upright), Case(tiff(RGB, 2, t274=6), upright)]


def other_modes() -> Sequence[Case]:
    image = Image.fromarray(RGB)
    cases = [pillows(saved(image.convert(mode), "PNG")) for mode in ("1", "L", "P")]
    cases += [pillows(saved(image.quantize(colours), "PNG", bits=bits)) for bits, colours in ((2, 4), (4, 16))]
    return [*cases, pillows(saved(image.convert("CMYK"), "TIFF")), pillows(saved(image.convert("CMYK"), "JPEG"))]


def transparent() -> Sequence[Case]:
    image = Image.fromarray(np.concatenate([RGB, ALPHA], -1))
    palette = image.convert("RGB").quantize(16)
    return [
        pillows(saved(image, "PNG")),
        pillows(saved(image.convert("LA"), "PNG")),
        Case(saved(palette, "PNG", transparency=b"\0\x80\xff"), np.asarray(palette.convert("RGB"))),
    ]


def hidden() -> Sequence[Case]:
    image = Image.fromarray(np.concatenate([RGB, ALPHA * 0], -1))
    return [Case(saved(image, kind), RGB) for kind in ("PNG", "TIFF")]


def keyed() -> Sequence[Case]:
    grey = Image.fromarray(RGB[..., 0])
    return [
        Case(saved(Image.fromarray(RGB), "PNG", transparency=tuple(RGB[0, 0].tolist())), RGB),
        Case(saved(grey, "PNG", transparency=int(RGB[0, 0, 0])), np.repeat(RGB[..., :1], 3, -1)),
    ]


def drawn() -> Sequence[Case]:
    cases = []
    for ink, ground in ((0, 255), (255, 0)):
        image = np.concatenate([np.full_like(RGB, ink), ALPHA], -1)
        shown = ink * (ALPHA / 255) + ground * (1 - ALPHA / 255)
        cases.append(Case(saved(Image.fromarray(image), "PNG"), np.repeat(shown, 3, -1)))
    return cases


def deep_grey() -> Sequence[Case]:
    cases = []
    for bits in (9, 12, 16):
        values = np.linspace(0, 2**bits - 1, 96).round().astype(np.uint16).reshape(12, 8, 1)
        shown = np.repeat(values * (255 / (2**bits - 1)), 3, -1)
        cases += [Case(png(values), shown), Case(tiff(values, 1), shown)]
    return cases


def deep_colour(*files: Callable[[Pixels], bytes]) -> Sequence[Case]:
    return [
        Case(file(values), values[..., :3] * (255 / white))
        for file in files
        for values, white in ((DEEP, 4095), ((DEEP.astype(int) * 65535 // 4095).astype(np.uint16), 65535))
    ]


def white_is_zero() -> Sequence[Case]:
    values = np.linspace(0, 4095, 96).round().reshape(12, 8, 1)
    shown = np.repeat(255 - values * (255 / 4095), 3, -1)
    bits = Image.fromarray(RGB[..., 0]).convert("1")
    return [
        Case(saved(bits, "TIFF", tiffinfo={262: 0}), np.asarray(bits.convert("RGB"))),
        Case(tiff((values / 4095 * 255).round().astype(np.uint8), 0), shown),
        *(Case(tiff(values.astype(dtype), 0, order=order), shown) for dtype in ("u2", "f4") for order in ("<", ">")),
    ]


def signed() -> Sequence[Case]:
    values = np.linspace(-50, 70, 96).round().reshape(12, 8, 1)
    shown = np.repeat((values + 50) / 120 * 255, 3, -1)
    return [Case(tiff(values.astype(dtype), 1), shown) for dtype in ("i1", "i2", "i4", "f4")]


def rare() -> Sequence[Case]:
    odd = bytearray(tiff(DEEP[..., :1], 1))
    depth = odd.index(struct.pack("<HHI", 258, 4, 1)) + 8
    tens, fourteens = bytes(odd[:depth] + b"\x0a" + odd[depth + 1 :]), bytes(odd[:depth] + b"\x0e" + odd[depth + 1 :])
    floats = tiff(DEEP[..., :1].astype(np.float64), 1), tiff(DEEP[..., :3].astype(np.float32), 2)
    return [Case(data) for data in (tens, fourteens, *floats)]


def animated() -> Sequence[Case]:
    control = struct.pack(">5I2H2B", 0, 8, 12, 0, 0, 1, 1, 0, 1)
    first = png(DEEP, (b"acTL", struct.pack(">II", 2, 0)), (b"fcTL", control))
    packed = zlib.compress(b"".join(b"\0" + row.astype(">u2").tobytes() for row in DEEP))
    later = chunk(b"fcTL", b"\0\0\0\1" + control[4:]) + chunk(b"fdAT", b"\0\0\0\2" + packed)
    return [Case(first[:-12] + later + first[-12:], frame=1)]


def named(*kinds: str) -> Callable[[], Sequence[Case]]:
    return lambda: [Case(FILES[kind][0]()) for kind in kinds]


PICTURES: dict[str, Callable[[], Sequence[Case]]] = {
    "PNG, JPEG, BMP, TIFF, WebP of 8 bits": eight_bits,
    "an animation, a TIFF of several pages": several,
    "EXIF or TIFF orientation": turned,
    "grey of 1, 2 and 4 bits, palettes, inks (CMYK, JPEG's inverted ones too)": other_modes,
    "colours under transparency (RGBA, LA, a palette's)": transparent,
    "an alpha of 0 throughout": hidden,
    "a colour that PNG calls transparent (tRNS)": keyed,
    "one colour, the drawing in its transparency alone": drawn,
    "grey of 9 to 16 bits, PNG or TIFF": deep_grey,
    "colour of 16 bits, PNG or TIFF, with alpha or without": lambda: deep_colour(
        lambda v: png(v[..., :3]), png, lambda v: tiff(v[..., :3], 2), lambda v: tiff(v, 2, t338=2)
    ),
    "colour of 16 bits in planes, TIFF uncompressed": lambda: deep_colour(lambda v: tiff(v[..., :3], 2, planar=True)),
    "colour of 16 bits in planes, TIFF compressed": lambda: [Case(tiff(DEEP[..., :3], 2, planar=True, deflate=True))],
    "colour of 16 bits times its alpha (TIFF)": lambda: [Case(tiff(DEEP, 2, t338=1))],
    "a later frame of an animated PNG of 16-bit colour": animated,
    "TIFF of either byte order": lambda: [Case(tiff(RGB, 2, order=">"), RGB), Case(tiff(RGB, 2), RGB)],
    "TIFF whose zero is white, 1 to 32 bits": white_is_zero,
    "TIFF of signed or floating grey": signed,
    "TIFF of 10-bit, 14-bit or 64-bit samples, or of floating colour": rare,
    "GIF": named("GIF"),
    "JPEG 2000": named("JPEG 2000", "JPEG 2000 codestream"),
    "AVIF": named("AVIF"),
    "HEIC": named("HEIC", "HEIF"),
    "JPEG XL": named("JPEG XL", "JPEG XL in boxes"),
    "SVG": named("SVG", "SVG with a prologue"),
    "PDF": named("PDF"),
    "NIfTI, packed or not": named("NIfTI", "NIfTI-2", "compressed NIfTI"),
    "NRRD": named("NRRD"),
    "films": named("film"),
    "archives": named("ZIP"),
    "what is cut off": lambda: [Case(saved(Image.fromarray(RGB), kind)[:-60]) for kind in ("PNG", "BMP", "JPEG")],
    "more than 64 million pixels, or 16,384 a side": lambda: [
        Case(saved(Image.new("1", size), "PNG")) for size in ((16_385, 1), (8_200, 8_200))
    ],
}

Settings = Sequence[tuple[Any, dict[str, Any]]]
PROCESSORS: dict[str, Settings] = {
    "`do_normalize`, `do_rescale`, `do_center_crop`, `do_pad` off, their values beside them": [
        (CLIPImageProcessorPil, {**CUT, "do_normalize": False, "image_mean": MEAN, "image_std": MEAN}),
        (CLIPImageProcessorPil, {**CUT, "do_rescale": False, "rescale_factor": 0.5}),
        (CLIPImageProcessorPil, {"size": SQUARE, "do_center_crop": False, "crop_size": 40}),
        (LlavaImageProcessorPil, {**CUT, "do_pad": False, "pad_size": 99}),
    ],
    "`resample` 0 to 5": [(CLIPImageProcessorPil, {**CUT, "resample": number}) for number in range(6)],
    "`rescale_factor`, whatever it is": [(CLIPImageProcessorPil, {**CUT, "rescale_factor": 1 / 127.5})],
    "resized to more than is cropped (CLIP's 256 to 224)": [
        (CLIPImageProcessorPil, {"size": LARGER, "crop_size": SQUARE})
    ],
    "`size` a number, a pair, `height` and `width`, `shortest_edge`": [
        (CLIPImageProcessorPil, {"size": size, "crop_size": SQUARE}) for size in (56, [56, 56], SQUARE, EDGE)
    ],
    "`size` by `longest_edge`": [(CLIPImageProcessorPil, {"size": {"longest_edge": 56}})],
    "one edge resized, nothing cropped or padded": [(CLIPImageProcessorPil, {"size": EDGE, "do_center_crop": False})],
    "`do_resize` off": [(CLIPImageProcessorPil, {**CUT, "do_resize": False})],
    "of another class": [(CLIPImageProcessorPil, {**CUT, "image_processor_type": "LlavaNextImageProcessor"})],
}


def test_every_row_has_a_case() -> None:
    assert {*PICTURES, *(f"processor: {settings}" for settings in PROCESSORS)} == ROWS.keys()


@pytest.mark.parametrize("form", PICTURES)
def test_a_picture_is_read_as_the_page_says(form: str) -> None:
    verdict, _, words = ROWS[form].partition(": ")
    cases = PICTURES[form]()
    assert cases
    for case in cases:
        if verdict == "refused":
            with pytest.raises(InputError) as caught:
                load_image(case.data, case.frame)
            assert words in caught.value.message
            assert caught.value.hint
        else:
            assert case.pixels is not None
            shown = np.asarray(load_image(case.data, case.frame).image)
            np.testing.assert_allclose(shown, case.pixels, rtol=0, atol=1 if case.pixels.dtype.kind == "f" else 0)


@pytest.mark.parametrize("form", PROCESSORS)
def test_settings_are_read_as_the_page_says(form: str, tmp_path: Path) -> None:
    verdict, _, words = ROWS[f"processor: {form}"].partition(": ")
    for processor, settings in PROCESSORS[form]:
        name = processor.__name__.removesuffix("Pil")
        written = source(tmp_path, {"image_processor_type": name, **settings})
        if verdict == "refused":
            with pytest.raises(CheckpointError) as caught:
                image_spec(written, CLIP, None)
            assert words in caught.value.message
        else:
            image = noise(90, 71)
            theirs = processor(**settings)(image, return_tensors="np")["pixel_values"][0]
            ours = preprocess(image, image_spec(written, CLIP, None))
            np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)
