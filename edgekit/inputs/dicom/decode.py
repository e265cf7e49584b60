"""Pixel data as stored values."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from edgekit.errors import MissingExtra
from edgekit.inputs.dicom.source import DEFLATED, native_syntax
from edgekit.inputs.grey import Values

if TYPE_CHECKING:
    from pydicom import Dataset


def decode(stream: BinaryIO, header: Dataset, frame: int) -> Values:
    """One frame's stored values, ``[rows, columns]`` or ``[rows, columns, samples]`` as RGB."""
    import pydicom
    from pydicom.pixels import get_decoder, pixel_array

    syntax = header.file_meta.get("TransferSyntaxUID") if hasattr(header, "file_meta") else None
    if syntax is None or syntax == DEFLATED:
        stream.seek(0)
        whole = pydicom.dcmread(stream, force=True)
        whole.file_meta.TransferSyntaxUID = native_syntax(whole)
        return np.asarray(pixel_array(whole, index=frame))
    if syntax.is_encapsulated and not get_decoder(syntax).is_available:
        raise MissingExtra(f"Reading {syntax.name}", "dicom")
    return np.asarray(pixel_array(stream, index=frame))
