"""Pictures of more than 8 bits a sample as 8-bit ones: grey that is deep, signed, floating or black for white; colour.

Pillow has no mode for colour of 16 bits: it keeps the high byte, and 12 bits that are stored in 16 come out all but
black. Its decoders are told by a raw mode which byte of a sample to keep, so such a picture is read twice, once for
each. What TIFF says about grey beyond 8 bits (PhotometricInterpretation 0: zero is white; SampleFormat 2: samples are
signed) Pillow leaves to who reads it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFile, ImageOps

from edgekit.errors import InputError
from edgekit.inputs.grey import Shades, Values, by_depth, spread

if TYPE_CHECKING:
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

_BITS, _PHOTOMETRIC, _PLANES, _SAMPLE_FORMAT = 258, 262, 284, 339  # TIFF's tags
_WHITE_IS_ZERO, _ONE_BY_ONE, _SIGNED = 0, 2, 2
_ROWS = 64
_GREY_ALPHA = "LA;16B"
_IN_NATIVE_ORDER = {"I;16BS": "I;16NS", "I;32BS": "I;32NS", "F;32BF": "F;32NF"}
_OTHER_END = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}


def load(reopen: Callable[[], ImageFile.ImageFile], name: str) -> Image.Image:
    """Return the picture that ``reopen`` opens, upright, of 8 bits a sample at most (or
    in a mode that :func:`grey` takes).

    Colour of 16 bits is scaled by the depth that it uses, as grey is, all channels alike. :class:`InputError` names
    ``name``.
    """
    image = reopen()
    if not _is_deep_colour(image):
        upright = _read(image, [_as_decoded(tile) for tile in image.tile])
        tags = _tags(image)
        return upright if tags is None else _tiff_grey(upright, tags)
    if image.tell() and image.format == "PNG":  # what is beneath a frame would be added byte by byte
        raise InputError(f"{name} is an animation of 16-bit colour", "Save that frame as a PNG of its own.")
    rawmodes = [_rawmode(tile) for tile in image.tile]
    if rawmodes == [_GREY_ALPHA]:
        return _with_alpha(np.asarray(_read(image, ["RGBA"])))  # four bytes: both of grey, both of alpha
    pairs = [_bytes_apart(rawmode, image, name) for rawmode in rawmodes]
    high = _read(image, [pair[0] for pair in pairs])
    return _joined(high, _read(reopen(), [pair[1] for pair in pairs]))


def is_deep(image: Image.Image) -> bool:
    """Tell whether a decoded picture is grey in a mode that is more than 8 bits deep."""
    return image.mode == "F" or image.mode.startswith("I")


def grey(values: Values, *, white_is_zero: bool = False) -> Shades:
    """Show grey values of any kind as shades: whole numbers ≥ 0 by their depth,
    others from the least to the greatest.
    """
    if values.dtype.kind == "f":
        return spread(-values if white_is_zero else values)
    shades = by_depth(values, int(values.max())) if values.min() >= 0 else spread(values)
    return 255 - shades if white_is_zero else shades


def _tags(image: ImageFile.ImageFile) -> ImageFileDirectory_v2 | None:
    """A TIFF's tags; None of other formats. (Pillow's class of them is imported with the first TIFF, not before.)"""
    tags: ImageFileDirectory_v2 | None = getattr(image, "tag_v2", None)
    return tags


def _tiff_grey(image: Image.Image, tags: ImageFileDirectory_v2) -> Image.Image:
    """A TIFF's picture as its tags mean it, where Pillow gives the numbers as they are stored."""
    values, signed = np.asarray(image), tags.get(_SAMPLE_FORMAT, (1,))[0] == _SIGNED
    if image.mode == "L" and signed:
        values = values.view(np.int8)
    elif image.mode == "I" and not signed and tags.get(_BITS, (1,))[0] == 32:
        values = values.view(np.uint32)
    elif not is_deep(image):
        return image
    negative = tags.get(_PHOTOMETRIC, _WHITE_IS_ZERO) == _WHITE_IS_ZERO
    if image.mode.startswith("I;16") and not negative:
        return image  # as grey() takes it
    return Image.fromarray(grey(values, white_is_zero=negative))


def _is_deep_colour(image: ImageFile.ImageFile) -> bool:
    rawmodes = [_rawmode(tile) for tile in image.tile]
    return image.mode in ("RGB", "RGBA", "CMYK") and (
        any(";16" in rawmode for rawmode in rawmodes) or _is_planar(image, rawmodes)
    )


def _is_planar(image: ImageFile.ImageFile, rawmodes: Sequence[str]) -> bool:
    """A TIFF of 16 bits with colours one after the other, uncompressed: Pillow takes them for 8, and reads nonsense."""
    tags = _tags(image)
    return tags is not None and all(len(rawmode) == 1 for rawmode in rawmodes) and tags.get(_BITS, (1,))[0] == 16


def _rawmode(tile: ImageFile._Tile) -> str:
    """How a tile's decoder is told to unpack: the first of its arguments, or the only one."""
    return str(tile.args[0] if isinstance(tile.args, tuple) and tile.args else tile.args)


def _as_decoded(tile: ImageFile._Tile) -> str:
    """The raw mode of what libtiff hands over: samples in the processor's order, which Pillow forgets for some."""
    rawmode = _rawmode(tile)
    return _IN_NATIVE_ORDER.get(rawmode, rawmode) if tile.codec_name == "libtiff" else rawmode


def _bytes_apart(rawmode: str, image: ImageFile.ImageFile, name: str) -> tuple[str, str]:
    """The raw modes that keep the high and the low byte of what ``rawmode`` unpacks."""
    colour, _, end = rawmode.partition(";16")
    if (tags := _tags(image)) is not None:
        end = end or ("L" if tags.prefix == b"II" else "B")
        if tags.get(_PLANES) == _ONE_BY_ONE and len(colour) > 1:  # libtiff's decoder, which asks no raw mode
            colour = "planes that are compressed"
    if colour not in ("RGB", "RGBA", "RGBX", "CMYK", "R", "G", "B", "A") or end not in _OTHER_END:
        raise InputError(f"{name} holds 16-bit colour in a form that is not read ({colour})", "Save it as PNG.")
    return f"{colour};16{end}", f"{colour};16{_OTHER_END[end]}"


def _read(image: ImageFile.ImageFile, rawmodes: Sequence[str]) -> Image.Image:
    """Decode an opened picture, each tile by its raw mode here, and turn it upright."""
    image.tile = [_told(tile, rawmode) for tile, rawmode in zip(image.tile, rawmodes, strict=True)]
    image.load()
    return ImageOps.exif_transpose(image)


def _told(tile: ImageFile._Tile, rawmode: str) -> ImageFile._Tile:
    if rawmode == _rawmode(tile):
        return tile
    return tile._replace(args=(rawmode, *tile.args[1:]) if isinstance(tile.args, tuple) else rawmode)


def _joined(high: Image.Image, low: Image.Image) -> Image.Image:
    """Both bytes of every sample as 8 bits, in place of ``high``; transparency, which sets no depth, by its high byte.

    Done by blocks of rows: whole pictures of 16 bits, with all that is computed from them, would take gigabytes.
    """
    colours = len(high.getbands()) - (high.mode == "RGBA")
    boxes = [(0, top, high.width, min(top + _ROWS, high.height)) for top in range(0, high.height, _ROWS)]

    def samples(box: tuple[int, int, int, int]) -> Values:
        above, below = (np.asarray(half.crop(box))[..., :colours] for half in (high, low))
        values: Values = above.astype(np.uint16) << 8 | below
        return values

    table = _table(max(int(samples(box).max()) for box in boxes))
    for box in boxes:
        block = high.crop(box)
        shades = np.concatenate([table[samples(box)], np.asarray(block)[..., colours:]], axis=-1)
        high.paste(Image.frombytes(high.mode, block.size, shades.tobytes()), box)
    return high


def _with_alpha(samples: Values) -> Image.Image:
    values = samples[..., 0].astype(np.uint16) << 8 | samples[..., 1]
    shades = _table(int(values.max()))[values]
    return Image.merge("LA", [Image.fromarray(shades), Image.fromarray(samples[..., 2])])


def _table(top: int) -> Shades:
    """:func:`by_depth` of every value of 16 bits, looked up where a float for each sample would be too much."""
    return by_depth(np.arange(2**16), top)
