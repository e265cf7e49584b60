"""A file opened: how its data set is laid out; a deflated one is refused where it would fill the memory."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, BinaryIO

from edgekit.errors import InputError

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.uid import UID

MAX_INFLATED = 512 * 2**20  # bytes that a deflated file may grow to
DEFLATED = "1.2.840.10008.1.2.1.99"
HINT = "Export it from the viewer or PACS as PNG, or as uncompressed DICOM."


def check_inflated(stream: BinaryIO, name: str) -> None:
    """Refuse a deflated file that would fill the memory: pydicom inflates it whole.

    The data set starts behind the meta group, whose length is the first element after "DICM".
    """
    head = stream.read(1024)
    if DEFLATED.encode() in head and head[128:132] == b"DICM":
        stream.seek(144 + int.from_bytes(head[140:144], "little"))
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        size, pending = 0, stream.read()
        while pending and size <= MAX_INFLATED:
            size += len(inflate.decompress(pending, 2**24))
            pending = inflate.unconsumed_tail
        if size > MAX_INFLATED:
            raise InputError(f"{name} inflates to more than {MAX_INFLATED // 2**20} MiB", HINT)
    stream.seek(0)


def native_syntax(dataset: Dataset) -> UID:
    """How a data set that was read without a usable transfer syntax is laid out."""
    from pydicom import uid

    implicit, little = dataset.original_encoding
    if not little:
        return uid.ExplicitVRBigEndian
    return uid.ImplicitVRLittleEndian if implicit else uid.ExplicitVRLittleEndian
