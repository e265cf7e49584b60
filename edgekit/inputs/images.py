"""A picture file, or an upload's bytes, as an RGB picture: the one door through which pictures come in.

The content decides what a file is, never its name. PNG, JPEG, BMP, TIFF and WebP are read by Pillow,
DICOM by :mod:`edgekit.inputs.dicom`; every other format stays shut, and is named as what it is. Whatever is
wrong with a file ends in one :class:`~edgekit.errors.InputError`: a cut-off JPEG is refused, not half drawn.
"""

from __future__ import annotations

import hashlib
import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from edgekit.checkpoint.spec import ImageSpec
from edgekit.errors import DecodeError, EdgeKitError, InputError
from edgekit.inputs import deep, formats
from edgekit.inputs.dicom.recognise import is_dicom
from edgekit.inputs.negative import black_is_zero
from edgekit.inputs.preprocess import preprocess

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
PAGED = ("TIFF", "PNG", "WEBP")
"""Formats whose further pictures somebody may have meant; those behind a phone's JPEG are previews and depths."""
MAX_PIXELS = 64 * 2**20  # 192 MiB decoded; the largest mammograms have about 30 million
MAX_SIDE = 2**14  # stitched films of whole legs or spines stay below 12,000
_KNOWN = "EdgeKit reads PNG, JPEG, BMP, TIFF, WebP and DICOM, and goes by the content, not by the name."
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture, mode RGB, and a digest of its pixels by which equal pictures are recognised.

    ``notes`` say in whole sentences what of the file was left out, or done to it, so that it could be drawn.
    """

    image: Image.Image
    digest: str
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, image: Image.Image) -> Picture:
        """Take a picture of any mode as it is, without reading a file."""
        flat = rgb(image)
        digest = hashlib.sha256(f"{flat.width}x{flat.height} ".encode())
        digest.update(flat.tobytes())
        return cls(flat, digest.hexdigest())

    def pixels(self, spec: ImageSpec) -> npt.NDArray[np.float32]:
        """Return the picture as a vision tower wants it, float32 ``[3, size, size]``."""
        return preprocess(self.image, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Picture) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


def load_image(source: Path | str | bytes, frame: int | None = None) -> Picture:
    """Read a picture from a path or from a file's bytes.

    ``frame`` counts from 0. Without it, an animation or a TIFF of many pages gives its first, a DICOM
    of many frames its middle one: volumes and cine loops show least at their ends.

    :class:`InputError` for whatever can't be read as a picture of at most ``MAX_PIXELS``, and of these
    :class:`~edgekit.errors.DecodeError` where the words are a decoder's; :class:`~edgekit.errors.MissingExtra` for
    DICOM without the extra ``dicom``.
    """
    with reading(source) as (stream, name):
        image, notes = decoded(stream, name, frame)
        return replace(Picture.of(image), notes=notes)


@contextmanager
def reading(source: Path | str | bytes) -> Iterator[tuple[BinaryIO, str]]:
    """Open a path or a file's bytes; give the stream, and what errors call it. Whatever is raised within becomes one of
    :func:`load_image`'s errors.

    Pictures are read one at a time in a process.
    """
    name = "The image" if isinstance(source, bytes) else str(source)
    with _open(source, name) as stream, _quietly():
        try:
            yield stream, name
        except EdgeKitError:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise _too_large(name) from None
        except Exception as error:  # decoders raise anything from struct.error to SyntaxError on damaged files
            reason = str(error) or type(error).__name__
            raise DecodeError(f"{name} can't be decoded: {reason}", "Copy or export the picture again.") from error


@contextmanager
def _open(source: Path | str | bytes, name: str) -> Iterator[BinaryIO]:
    try:
        stream = io.BytesIO(source) if isinstance(source, bytes) else _open_file(Path(source))
    except FileNotFoundError:
        raise InputError(f"There is no file {name}", "Check the path.") from None
    except PermissionError:
        raise InputError(f"{name} may not be read", "Check the file's owner and permissions.") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a null character
        raise InputError(f"{name} can't be opened: {error}", "Check the path.") from None
    with stream:
        yield stream


def _open_file(path: Path) -> BinaryIO:
    if path.is_dir() or (path.exists() and not path.is_file()):
        raise InputError(f"{path} is not a file", "Give one picture file.")
    return path.open("rb")


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep the decoders' warnings to ourselves.

    Python's warning filters belong to the whole process, so pictures are decoded one at a time; that
    also bounds the memory that decoding takes.
    """
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def decoded(stream: BinaryIO, name: str, frame: int | None) -> tuple[Image.Image, tuple[str, ...]]:
    """Return the picture in any mode, and notes on how it was drawn; within :func:`reading`."""
    head = head_of(stream, name)
    if is_dicom(head[:132], name):
        from edgekit.inputs.dicom.read import read_dicom

        drawn = read_dicom(stream, name, frame, lambda width, height: check_size(width, height, name))
        return Image.fromarray(drawn.shades), drawn.notes
    notes: list[str] = []
    return _picture(stream, name, frame, formats.ours(head), notes), tuple(notes[:1])


def head_of(stream: BinaryIO, name: str) -> bytes:
    """Return a file's first bytes; :class:`InputError` where they are those of what is no picture that is read."""
    head = stream.read(formats.HEAD)
    stream.seek(0)
    if not head:
        raise InputError(f"{name} is empty", "Copy or export the picture again.")
    if head[128:132] != b"DICM" and (kind := formats.foreign(head)) is not None:
        raise InputError(f"{name} is {kind.name}, which EdgeKit does not read", kind.hint)
    return head


def _picture(stream: BinaryIO, name: str, frame: int | None, kind: str | None, notes: list[str]) -> Image.Image:
    with suppress(UnidentifiedImageError):
        return deep.load(lambda: _opened(stream, name, frame, notes), name)
    if kind == "TIFF":
        positive, white = black_is_zero(stream)
        with suppress(UnidentifiedImageError):
            image = deep.load(lambda: _opened(positive, name, frame, notes), name)
            return ImageOps.invert(_shallow(image).convert("L")) if any(white[frame or 0 :][:1]) else image
    raise _unidentified(name, kind)


def _opened(stream: BinaryIO, name: str, frame: int | None, notes: list[str]) -> ImageFile.ImageFile:
    """The picture at its frame, its size checked, nothing of it decoded yet; that there are others is noted."""
    stream.seek(0)
    image = Image.open(stream, formats=FORMATS)
    check_size(image.width, image.height, name)
    count = getattr(image, "n_frames", 1)
    if count > 1 and frame is None and image.format in PAGED:
        notes.append(f"It has {count} pages: only the first is looked at.")
    try:
        image.seek(frame or 0)
    except EOFError:
        raise InputError(f"{name} has no frame {frame}", "Frames count from 0.") from None
    check_size(image.width, image.height, name)
    return image


def _unidentified(name: str, kind: str | None) -> InputError:
    if kind is None:
        return InputError(f"{name} is not a picture, or its beginning is damaged", _KNOWN)
    return InputError(
        f"{name} is a {kind} of a rare kind that is not read, or its beginning is damaged",
        "Save it as PNG in an image viewer, or copy it again.",
    )


def check_size(width: int, height: int, name: str) -> None:
    """Raise :class:`InputError` for a picture without pixels, or of more than are read."""
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise _too_large(name, f" with {width}x{height} pixels")
    if width < 1 or height < 1:
        raise InputError(f"{name} has no pixels", "Copy or export the picture again.")


def _too_large(name: str, detail: str = "") -> InputError:
    return InputError(
        f"{name}{detail} is too large: at most {MAX_PIXELS // 2**20} million pixels, {MAX_SIDE} a side",
        "Scale it down first; models look at a few hundred pixels a side.",
    )


def rgb(image: Image.Image) -> Image.Image:
    """Return a picture of any mode as RGB, its transparency dropped, as LLaVA's and TinyLLaVA's own code does by
    ``convert("RGB")``.

    So what plotting libraries draw on a transparent white ground is black on white. Only where everything has one
    colour, and the drawing is in the transparency alone, is it laid on a ground of the other kind: black strokes on
    white, as viewers and transformers 5 show them.
    """
    image = _shallow(image)
    if image.mode == "La":  # premultiplied; Pillow knows this one way out
        image = image.convert("LA")
    flat = image.convert("RGB")
    if image.has_transparency_data and flat.getcolors(1):
        drawn = image.convert("RGBA")
        if not drawn.getchannel("A").getcolors(1):
            ground = "white" if np.asarray(flat)[0, 0].mean() < 128 else "black"
            return Image.alpha_composite(Image.new("RGBA", drawn.size, ground), drawn).convert("RGB")
    return flat


def _shallow(image: Image.Image) -> Image.Image:
    return Image.fromarray(deep.grey(np.asarray(image))) if deep.is_deep(image) else image
