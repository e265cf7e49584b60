"""Frames one after the other, packed without a loss and each by itself: only what they pack to is held.

Deflated Image Frame Compression (PS3.5 8.2.16) is what integers are stored in. A deflated data set would have to be
unpacked from its beginning for every frame that somebody scrolls to; RLE packs no better, and pydicom writes it at a
few megabytes a second. Floating point has no encoded form in DICOM and stays as it is.
"""

from __future__ import annotations

import zlib

import numpy as np

from edgekit.errors import InputError
from edgekit.inputs.dicom.header import Unusable
from edgekit.inputs.grey import Values
from edgekit.units import MIB, format_bytes

MOST_BYTES = 56 * MIB
"""Of a kept file: it has to come back from the child that makes it, in one message."""
_LEVEL = 1  # higher ones take several times as long for a few percent of what detectors give


class PackedFrames:
    """Frames of one kind: their ``shape`` and ``dtype`` are those of the first.

    * ``parts``: what each was packed to
    * ``bits``: how many a sample needs, as integers go
    """

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.shape: tuple[int, ...] = ()
        self.dtype = np.dtype(np.uint8)
        self.bits = 1
        self._bytes = 0

    @property
    def is_float(self) -> bool:
        """Whether samples are floating point."""
        return self.dtype.kind == "f"

    def add(self, values: Values) -> None:
        """Pack a frame; :class:`~edgekit.errors.InputError` where there is more than can be kept,
        :class:`~edgekit.inputs.dicom.header.Unusable` for one unlike those before.
        """
        if not self.parts:
            self.shape, self.dtype = values.shape, values.dtype.newbyteorder("<")
        if (values.shape, values.dtype.newbyteorder("<")) != (self.shape, self.dtype):
            raise Unusable("its frames are not all of one kind")
        stored = values.astype(self.dtype, copy=False).tobytes()
        if not self.is_float:
            signed = self.dtype.kind == "i"
            self.bits = max(self.bits, *(_bits(int(end), signed) for end in (values.min(), values.max())))
            stored = _deflated(stored)
        self.parts.append(stored)
        self._bytes += len(stored)
        require_room(self._bytes)


def require_room(size_bytes: int) -> None:
    """Raise :class:`~edgekit.errors.InputError` for a file that is too large to be kept."""
    if size_bytes > MOST_BYTES:
        raise InputError(
            f"The image takes more than {format_bytes(MOST_BYTES)} once it is stored without a loss",
            "Give the frames that the question is about, or a smaller picture.",
        )


def _bits(value: int, signed: bool) -> int:
    """How many bits an integer takes."""
    return (value if value >= 0 else ~value).bit_length() + signed


def _deflated(stored: bytes) -> bytes:
    deflate = zlib.compressobj(_LEVEL, wbits=-zlib.MAX_WBITS)
    return deflate.compress(stored) + deflate.flush()
