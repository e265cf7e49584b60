"""Reading pictures: every format and mode, and everything that is no picture."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from edgekit.errors import DecodeError, EdgeKitError, InputError
from edgekit.inputs import images
from edgekit.inputs.images import Picture, load_image

RNG = np.random.default_rng(7)
RGB = Image.fromarray(RNG.integers(0, 256, (23, 31, 3), dtype=np.uint8))
SMOOTH = Image.fromarray(np.add.outer(np.arange(64), np.arange(96)).astype(np.uint8)).convert("RGB")


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def pixels(source: Path | bytes, frame: int | None = None) -> npt.NDArray[np.uint8]:
    return np.asarray(load_image(source, frame).image)


LOSSLESS = {
    "png": encode(RGB, "PNG"),
    "bmp": encode(RGB, "BMP"),
    "tiff": encode(RGB, "TIFF"),
    "tiff-deflate": encode(RGB, "TIFF", compression="tiff_adobe_deflate"),
    "webp": encode(RGB, "WEBP", lossless=True),
}


@pytest.mark.parametrize("kind", LOSSLESS)
def test_formats_are_known_by_their_content(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "picture.gif"  # a wrong name on purpose
    path.write_bytes(LOSSLESS[kind])
    assert (pixels(path) == np.asarray(RGB)).all()
    assert load_image(str(path)).digest == load_image(LOSSLESS["png"]).digest


@pytest.mark.parametrize("kind", LOSSLESS)
def test_a_picture_that_is_called_dicom_is_still_a_picture(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x.dcm"
    path.write_bytes(LOSSLESS[kind])
    assert (pixels(path) == np.asarray(RGB)).all()
    path.write_bytes(encode(RGB, "JPEG"))
    assert pixels(path).shape == np.asarray(RGB).shape


def test_jpeg_is_pillows() -> None:
    data = encode(SMOOTH, "JPEG")
    assert (pixels(data) == np.asarray(Image.open(io.BytesIO(data)))).all()


def test_a_cameras_double_jpeg_gives_its_first_picture() -> None:
    data = encode(SMOOTH, "MPO", save_all=True, append_images=[RGB])
    assert (pixels(data) == pixels(encode(SMOOTH, "JPEG"))).all()


def test_equal_pixels_have_equal_digests_and_other_shapes_do_not() -> None:
    flat = np.zeros((4, 6, 3), np.uint8)
    wide, tall = Picture.of(Image.fromarray(flat)), Picture.of(Image.fromarray(flat.reshape(6, 4, 3)))
    assert wide == Picture.of(Image.fromarray(flat.copy()))
    assert wide != tall


@pytest.mark.parametrize("turn", range(1, 9))
def test_orientation_is_applied(turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    shown = {
        1: RGB,
        2: RGB.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: RGB.transpose(Image.Transpose.ROTATE_180),
        4: RGB.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: RGB.transpose(Image.Transpose.TRANSPOSE),
        6: RGB.transpose(Image.Transpose.ROTATE_270),
        7: RGB.transpose(Image.Transpose.TRANSVERSE),
        8: RGB.transpose(Image.Transpose.ROTATE_90),
    }[turn]
    assert (pixels(encode(RGB, "PNG", exif=exif)) == np.asarray(shown)).all()


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("bits", [10, 12, 16])
def test_deep_grey_is_scaled_not_clipped(kind: str, bits: int) -> None:
    ramp = np.linspace(0, 2**bits - 1, 300).round().astype(np.uint16).reshape(10, 30)
    grey = pixels(encode(Image.fromarray(ramp), kind))
    assert grey.shape == (10, 30, 3)
    np.testing.assert_allclose(grey[..., 1], ramp * (255 / (2**bits - 1)), atol=0.51)


@pytest.mark.parametrize("values", [np.linspace(-3, 9, 40, dtype=np.float32), np.arange(-20, 20, dtype=np.int32)])
def test_floats_and_signed_values_go_from_least_to_greatest(values: npt.NDArray[Any]) -> None:
    grey = pixels(encode(Image.fromarray(values.reshape(5, 8)), "TIFF"))[..., 0].ravel()
    np.testing.assert_allclose(grey, (values - values.min()) / np.ptp(values) * 255, atol=0.51)


def laid(image: Image.Image, ground: str) -> npt.NDArray[np.uint8]:
    below = Image.new("RGBA", image.size, ground)
    return np.asarray(Image.alpha_composite(below, image.convert("RGBA")).convert("RGB"))


PLOT = Image.new("RGBA", (9, 9), (255, 255, 255, 0))
PLOT.paste((0, 0, 0, 255), (2, 2, 4, 8))
HIDDEN = RGB.convert("RGBA")
HIDDEN.putalpha(0)
FADED = RGB.convert("RGBA")
FADED.putalpha(Image.fromarray(RNG.integers(0, 256, (23, 31), dtype=np.uint8)))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
@pytest.mark.parametrize("image", [PLOT, HIDDEN, FADED], ids=["black on transparent white", "hidden", "faded"])
def test_transparency_is_dropped_as_in_the_models_own_code(image: Image.Image, mode: str) -> None:
    """``Image.open(file).convert("RGB")``, in LLaVA's run_llava and train, TinyLLaVA's dataset."""
    kind = "TIFF" if mode == "PA" else "PNG"
    data = encode(image.convert("LA").convert(mode) if mode == "PA" else image.convert(mode), kind)
    theirs = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    assert (pixels(data) == theirs).all()
    assert theirs.max() == 255 or theirs.std() > 0  # the oracle is not wholly black


def test_colours_that_a_png_calls_transparent_are_shown() -> None:
    palette = SMOOTH.quantize(16)
    for image, transparent in ((palette, 3), (palette, b"\0\x80\xff"), (SMOOTH.convert("L"), 70), (RGB, (1, 2, 3))):
        data = encode(image, "PNG", transparency=transparent)
        assert (pixels(data) == np.asarray(image.convert("RGB"))).all()


def test_webp_too() -> None:
    data = encode(PLOT, "WEBP", lossless=True, exact=True)
    assert (pixels(data) == laid(PLOT, "white")).all()


@pytest.mark.parametrize(("ink", "ground"), [(0, "white"), (255, "black"), (90, "white")])
def test_a_drawing_in_the_transparency_alone_is_laid_on_a_ground(ink: int, ground: str) -> None:
    drawing = Image.new("RGBA", FADED.size, (ink, ink, ink, 0))
    drawing.putalpha(FADED.getchannel("A"))
    for image in (drawing, drawing.convert("LA")):
        shown = pixels(encode(image, "PNG"))
        assert (shown == laid(drawing, ground)).all()
        assert np.ptp(shown) > 100


def test_a_drawing_on_transparent_black_is_what_transformers_shows() -> None:
    from transformers.image_transforms import convert_to_rgb

    drawing = Image.new("RGBA", FADED.size, (0, 0, 0, 0))
    drawing.putalpha(FADED.getchannel("A"))
    assert (pixels(encode(drawing, "PNG")) == convert_to_rgb(drawing, return_numpy=True)).all()


def test_premultiplied_grey_is_read() -> None:
    image = Image.frombytes("La", (2, 1), bytes([100, 200, 0, 0]))
    assert np.asarray(Picture.of(image).image).tolist() == [[[127, 127, 127], [0, 0, 0]]]


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK"])
def test_other_modes_become_rgb(mode: str) -> None:
    kind = "TIFF" if mode == "CMYK" else "PNG"
    image = SMOOTH.convert(mode)
    assert (pixels(encode(image, kind)) == np.asarray(image.convert("RGB"))).all()


def test_the_first_frame_or_the_one_asked_for() -> None:
    pages = [Image.new("RGB", (4, 4), (shade, 0, 0)) for shade in (10, 20, 30)]
    for kind, options in (("TIFF", {}), ("WEBP", {"lossless": True})):
        data = encode(pages[0], kind, save_all=True, append_images=pages[1:], **options)
        assert pixels(data)[0, 0, 0] == 10
        assert pixels(data, 2)[0, 0, 0] == 30
        assert load_image(data).notes == ("It has 3 pages: only the first is looked at.",)
        assert load_image(data, 2).notes == (), "that one was asked for"
        assert load_image(encode(pages[0], kind)).notes == ()
        with pytest.raises(InputError, match="no frame 3"):
            load_image(data, 3)


def test_a_phones_picture_with_a_preview_behind_it_is_one_picture() -> None:
    data = encode(SMOOTH, "MPO", save_all=True, append_images=[SMOOTH.resize((4, 4))])
    assert load_image(data).notes == ()


@pytest.mark.parametrize("kind", ["png", "bmp", "tiff", "tiff-deflate", "webp", "jpeg"])
def test_cut_off_files_are_refused(kind: str) -> None:
    data = {**LOSSLESS, "jpeg": encode(SMOOTH, "JPEG")}[kind]
    for part in (0.02, 0.2, 0.5, 0.8, 0.95):
        with pytest.raises(InputError) as caught:
            load_image(data[: int(len(data) * part)])
        assert caught.value.hint
    own = kind == "tiff-deflate"  # its directory stands at its end, so it is not recognised at all
    assert isinstance(caught.value, DecodeError) != own, "a decoder alone knows that the last lacks its end"


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damage_ends_in_a_picture_or_one_error(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from([*LOSSLESS, "jpeg"]))
    damaged = bytearray({**LOSSLESS, "jpeg": encode(SMOOTH, "JPEG")}[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert load_image(bytes(damaged)).image.mode == "RGB"
    except InputError as error:
        assert error.hint


def bomb(width: int, height: int) -> bytes:
    """A PNG that claims a size which it does not hold."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(9_000, 9_000), (12_000, 12_000), (60_000, 60_000), (16_385, 1)])
@pytest.mark.filterwarnings("default")  # as in production, where Pillow only warns of the smaller bombs
def test_bombs_are_refused_before_they_are_decoded(size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="too large"):
        load_image(bomb(*size))


def test_what_is_no_picture_gives_one_error_with_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, empty, gif = tmp_path / "text.png", tmp_path / "empty.jpg", tmp_path / "picture.png"
    text.write_text("not a picture " * 20)
    empty.touch()
    gif.write_bytes(encode(RGB, "GIF"))
    cases = {text: "not a picture", empty: "is empty", gif: "is a GIF picture, which", tmp_path: "not a file"}
    cases[tmp_path / "missing.png"] = "no file"
    cases[tmp_path / "nul\0.png"] = "can't be opened"
    cases[text / "below.png"] = "can't be opened"
    for path, message in cases.items():
        with pytest.raises(InputError, match=message) as caught:
            load_image(path)
        assert caught.value.hint

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match="may not be read"):
        load_image(text)


def test_running_out_of_memory_is_an_error_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(images, "rgb", fail)
    with pytest.raises(EdgeKitError):
        load_image(LOSSLESS["png"])
