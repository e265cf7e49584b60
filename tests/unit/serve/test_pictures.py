"""Pictures through the child: the same as without it, and whatever goes wrong, in EdgeKit's words alone."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from edgekit.checkpoint.spec import ImageSpec
from edgekit.errors import DecodeError, EdgeKitError, InputError, MissingExtra
from edgekit.inputs.images import load_image
from edgekit.inputs.kept.keep import keep, masked
from edgekit.inputs.kept.mask import Rectangle
from edgekit.inputs.kept.view import View, png, view
from edgekit.inputs.prompt import ImagePiece
from edgekit.serve import pictures
from edgekit.serve.pictures import Decoder
from edgekit.units import MIB
from tests.dicoms import dataset, deep, encode

SPEC = ImageSpec(
    size=56,
    mean=(0.48145466, 0.4578275, 0.40821073),
    std=(0.26862954, 0.26130258, 0.27577711),
    fit="pad",
    scale=1 / 255,
)
SMOOTH = Image.fromarray(np.add.outer(np.arange(64), np.arange(96)).astype(np.uint8)).convert("RGB")
RAMP = np.arange(0, 4000, 10, dtype=np.uint16).reshape(20, 20)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def turned(orientation: int) -> bytes:
    """A photograph with its camera's orientation."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(SMOOTH, "JPEG", exif=exif)


@asynccontextmanager
async def decoding(spec: ImageSpec = SPEC, **limits: Any) -> AsyncIterator[Decoder]:
    decoder = Decoder(spec, **limits)
    try:
        yield decoder
    finally:
        await decoder.close()


def refused(content: bytes, **limits: Any) -> EdgeKitError:
    async def scene() -> EdgeKitError:
        async with decoding(**limits) as decoder:
            with pytest.raises(EdgeKitError) as caught:
                await decoder.picture(content)
            return caught.value

    return asyncio.run(scene())


FILES: dict[str, bytes] = {
    "png": saved(SMOOTH, "PNG"),
    "jpeg": saved(SMOOTH, "JPEG"),
    "turned jpeg": turned(6),
    "transparent png": saved(SMOOTH.convert("RGBA"), "PNG"),
    "dicom": encode(dataset(RAMP)),
    "deep dicom": encode(deep(WindowCenter=2000, WindowWidth=900)),
    "noted dicom": encode(dataset(RAMP, WindowCenter="100", WindowWidth="0")),
}


@pytest.mark.parametrize("spec", [SPEC, ImageSpec(size=32, mean=(0.5,) * 3, std=(0.5,) * 3, fit="stretch")])
def test_the_same_as_without_the_child(spec: ImageSpec) -> None:
    async def scene() -> None:
        async with decoding(spec) as decoder:
            await decoder.start()
            for content in FILES.values():
                whole, prepared = load_image(content), await decoder.picture(content)
                assert prepared.pixels(spec).tobytes() == whole.pixels(spec).tobytes()
                assert prepared.notes == whole.notes
                assert ImagePiece(prepared, spec, 4).key == ImagePiece(whole, spec, 4).key

    assert load_image(FILES["noted dicom"]).notes
    asyncio.run(scene())


def test_a_frame_is_the_one_asked_for() -> None:
    content = encode(dataset(np.stack([RAMP, RAMP.T, RAMP[::-1]])))

    async def scene() -> None:
        async with decoding() as decoder:
            for frame in (0, 1, 2, None):
                assert (await decoder.picture(content, frame)).digest == load_image(content, frame).digest
            with pytest.raises(InputError, match="no frame 3"):
                await decoder.picture(content, 3)

    asyncio.run(scene())


def test_what_is_kept_and_shown_is_the_same_as_without_the_child() -> None:
    places = [(1, 0, 2, 1)]

    async def scene() -> None:
        async with decoding() as decoder:
            for content in FILES.values():
                kept = await decoder.keep(content)
                assert kept == keep(content)
                assert (await decoder.picture(kept.file)).digest == load_image(content).digest
                assert await decoder.masked(kept.file, places) == masked(kept.file, [Rectangle(*places[0])])
                seen, shown = view(kept.file, None, 11), await decoder.view(kept.file, None, 11)
                if isinstance(seen, View) and isinstance(shown, View):
                    assert shown.document() == seen.document()
                    assert (shown.pixels == seen.pixels).all()
                else:
                    assert seen == shown
                assert await decoder.png(kept.file, None, 11) == png(kept.file, None, 11)

    asyncio.run(scene())


@pytest.mark.parametrize("op", ["keep", "masked", "view", "png"])
def test_whatever_is_asked_for_a_decoders_words_stay_here(op: str, caplog: pytest.LogCaptureFixture) -> None:
    more: dict[str, tuple[Any, ...]] = {"keep": (), "masked": ([(0, 0, 1, 1)],), "view": (None, 0), "png": (None, 0)}

    async def scene() -> None:
        async with decoding() as decoder:
            for content in DAMAGED.values():
                with pytest.raises(InputError) as caught:
                    await getattr(decoder, op)(content, *more[op])
                assert (type(caught.value), caught.value.message) == (InputError, "The image can't be decoded")
            with pytest.raises(InputError, match="is a GIF picture"):
                await getattr(decoder, op)(REFUSED["another format"], *more[op])

    with caplog.at_level(logging.DEBUG):
        asyncio.run(scene())
    assert "MONOCHROME" not in caplog.text


def test_a_rectangle_beside_the_picture_is_refused() -> None:
    async def scene() -> None:
        async with decoding() as decoder:
            with pytest.raises(InputError, match="covers nothing"):
                await decoder.masked(FILES["png"], [(0, 0, 1, 1), (500, 0, 1, 1)])

    asyncio.run(scene())


def test_a_page_has_the_numbers_of_a_screenful_at_once() -> None:
    """As the child's processor time: others may be using the machine."""
    noise = np.random.default_rng(0).normal(0, 12, (1024, 1024))
    values = np.clip(np.add.outer(np.arange(1024), np.arange(1024)) + noise, 0, 4095).astype(np.uint16)
    rounds = 20

    async def scene() -> float:
        async with decoding() as decoder:
            kept = await decoder.keep(encode(deep(values, WindowCenter=2000, WindowWidth=900)))
            (child,) = [one for one in psutil.Process().children() if pictures.MODULE in one.cmdline()]
            await decoder.view(kept.file, None, 1024)
            before = child.cpu_times()
            for _ in range(rounds):
                await decoder.view(kept.file, None, 1024)
            after = child.cpu_times()
            return (after.user + after.system - before.user - before.system) / rounds

    assert asyncio.run(scene()) < 0.05


REFUSED: dict[str, bytes] = {
    "nothing": b"",
    "no picture": b"Dear colleague, " * 20,
    "another format": saved(SMOOTH, "GIF"),
    "too large": saved(Image.new("1", (16_000, 5_000)), "PNG"),
    "no pixels": encode(dataset(RAMP)).partition(b"\xe0\x7f\x10\x00")[0],
    "our words on DICOM": encode(dataset(RAMP, BitsStored=17)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_edgekit_refuses_is_said_as_ever(case: str) -> None:
    with pytest.raises(InputError) as caught:
        load_image(REFUSED[case])
    assert not isinstance(caught.value, DecodeError)
    error = refused(REFUSED[case])
    assert type(error) is InputError
    assert (error.message, error.hint) == (caught.value.message, caught.value.hint)


DAMAGED: dict[str, bytes] = {
    "png": FILES["png"][:-60],
    "jpeg": FILES["jpeg"][: len(FILES["jpeg"]) // 2],
    "dicom": encode(dataset(RAMP, PhotometricInterpretation="MONOCHROME")),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_decoders_words_stay_here(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(DecodeError) as caught:
        load_image(DAMAGED[kind])
    words = str(caught.value.__cause__)
    with caplog.at_level(logging.DEBUG):
        error = refused(DAMAGED[kind])
    assert type(error) is InputError
    assert (error.message, error.hint) == ("The image can't be decoded", caught.value.hint)
    assert type(caught.value.__cause__).__name__ in caplog.text
    assert words not in caplog.text


def test_without_the_extra_dicom_is_refused_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pydicom.py").write_text("raise ImportError")
    monkeypatch.syspath_prepend(str(tmp_path))
    error = refused(FILES["dicom"])
    assert isinstance(error, MissingExtra)
    assert (error.message, error.hint) == (
        "Reading DICOM needs the extra 'dicom'",
        "Run: pip install 'edgekit[dicom]'",
    )


FAULTS: dict[str, tuple[bytes, str]] = {
    "sleeps": (b"sleep 60", "The image takes too long to decode"),
    "allocates": (b"allocate %d" % (128 * MIB), "The image takes too much memory to decode"),
    "exits": (b"exit", "The image can't be decoded"),
    "answers nothing": (b"echo", "The image can't be decoded"),
    "answers no JSON": (b"echo a decoder's words", "The image can't be decoded"),
    "answers without pixels": (b'echo {"digest": "a", "notes": []}', "The image can't be decoded"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_a_decoder_may_do(fault: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """By a child that stands in for it and does so on request."""
    monkeypatch.setattr(pictures, "MODULE", "tests.standing_in")
    content, message = FAULTS[fault]
    error = refused(content, memory_bytes=64 * MIB, deadline_s=1.0)
    assert type(error) is InputError
    assert error.message == message
    assert error.hint
    assert "decoder's words" not in caplog.text


LARGE = Image.new("RGB", (4096, 4096), "teal")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF", "DICOM"])
def test_a_picture_beyond_the_limit_says_so_and_the_next_is_decoded(kind: str) -> None:
    """A picture like any other, of 48 MiB, under a limit that is lower than a service's."""
    values = np.zeros((4096, 4096), np.uint16)
    content = encode(dataset(values)) if kind == "DICOM" else saved(LARGE, kind)

    async def scene() -> None:
        async with decoding(memory_bytes=40 * MIB + len(content)) as decoder:
            with pytest.raises(InputError, match="takes too much memory to decode") as caught:
                await decoder.picture(content)
            assert caught.value.hint.startswith("Scale it down")
            assert (await decoder.picture(FILES["png"])).digest == load_image(FILES["png"]).digest

    asyncio.run(scene())


def test_pictures_leave_nothing_behind() -> None:
    content = saved(SMOOTH.resize((512, 512)), "JPEG")

    async def scene() -> None:
        async with decoding() as decoder:
            await decoder.start()
            (child,) = [one for one in psutil.Process().children() if pictures.MODULE in one.cmdline()]
            file = (await decoder.keep(content)).file
            for _ in range(20):
                await decoder.picture(content)
                await decoder.view(file, None, 100)
            before = child.memory_info().rss
            for _ in range(100):
                await decoder.picture(content)
                await decoder.view(file, None, 100)
            assert child.memory_info().rss - before < MIB

    asyncio.run(scene())
