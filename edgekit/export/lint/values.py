"""The values of a graph's tensors, in pieces: a scale tensor of a large model is megabytes, its weights gigabytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper, numpy_helper

_PIECE = 1 << 22
FOUR_BITS = frozenset({TensorProto.INT4, TensorProto.UINT4, TensorProto.FLOAT4E2M1})


def nbytes(tensor: TensorProto) -> int:
    """Count what a tensor takes in a file by its shape and type; four-bit numbers lie two in a byte."""
    count = int(np.prod(tensor.dims, dtype=np.int64))
    if tensor.data_type in FOUR_BITS:
        return (count + 1) // 2
    return count * helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize


def place(tensor: TensorProto) -> tuple[str, int, int]:
    """Return file name, offset and length of an external tensor, by ONNX's ``external_data`` entries.

    Only the name's last part counts, so a graph can't lead out of its folder. :class:`ValueError` without a location.
    """
    entries = {entry.key: entry.value for entry in tensor.external_data}
    if not (name := Path(entries.get("location", "")).name):
        raise ValueError(f"'{tensor.name}' is external and has no location")
    return name, int(entries.get("offset", 0)), int(entries.get("length", nbytes(tensor)))


def is_external(tensor: TensorProto) -> bool:
    return tensor.data_location == TensorProto.EXTERNAL


def pieces(tensor: TensorProto, folder: Path) -> Iterator[npt.NDArray[Any]]:
    """Yield a tensor's values, flat, a few MiB at a time; external four-bit numbers as packed bytes.

    ``folder`` is where external data lies. :class:`OSError` or :class:`ValueError` where they can't be read.
    """
    if not is_external(tensor):
        yield numpy_helper.to_array(tensor).reshape(-1)
        return
    name, offset, left = place(tensor)
    packed = tensor.data_type in FOUR_BITS
    dtype = np.dtype(np.uint8) if packed else helper.tensor_dtype_to_np_dtype(tensor.data_type)
    with (folder / name).open("rb") as stream:
        stream.seek(offset)
        while left > 0:
            piece = stream.read(min(left, _PIECE))
            if not piece:
                raise ValueError(f"{name} ends too early")
            yield np.frombuffer(piece, dtype)
            left -= len(piece)
