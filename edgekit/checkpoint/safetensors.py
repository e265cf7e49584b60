"""Weights in safetensors files, mapped into memory: a tensor is read when its rows are asked for.

A file is eight bytes of header length (little endian), a JSON header ``{name: {dtype, shape,
data_offsets}}``, then the tensors' bytes; a folder holds one such file, or shards and an index
``{"weight_map": {name: file}}``. The format is that of https://github.com/huggingface/safetensors.
Nothing in a header is believed before it is held against the file's size, and no index can name a
file outside its folder.
"""

from __future__ import annotations

import math
import mmap
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgekit.checkpoint.documents import parse_object, read_object, unreadable
from edgekit.checkpoint.packed import Array
from edgekit.errors import CheckpointError

INDEX = "model.safetensors.index.json"
_LARGEST_HEADER = 100_000_000  # The reference implementation's own limit.
_PIECE = 32 * 2**20  # streaming reads less than this at once
_SHARD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,200}\.safetensors")
_AGAIN = "The file is damaged or was copied in part: fetch it again and compare its size with the source's."
_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "u1",
    "BOOL": "?",
}
# Those that numpy lacks: ml_dtypes comes with the build's dependencies, not a device's.
_ML_DTYPES = {
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
}


@dataclass(frozen=True)
class StoredTensor:
    """A tensor that lies in a mapped file; satisfies :class:`edgekit.checkpoint.packed.Tensor`."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    mapped: mmap.mmap
    offset: int

    @property
    def row_bytes(self) -> int:
        return math.prod(self.shape[1:]) * self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def rows(self, start: int, stop: int) -> Array:
        """Return rows start…stop of the first axis: a read-only view of the file, valid as long as it is held."""
        assert 0 <= start <= stop <= self.shape[0], (start, stop, self.shape)
        shape = (stop - start, *self.shape[1:])
        if not math.prod(shape):
            return np.empty(shape, self.dtype)
        offset = self.offset + start * self.row_bytes
        self._read_ahead(offset, (stop - start) * self.row_bytes)
        return np.frombuffer(self.mapped, self.dtype, math.prod(shape), offset).reshape(shape)

    def _read_ahead(self, offset: int, nbytes: int) -> None:
        """While a piece is worked on, have the kernel fetch the next in one go; whole tables are left to readers."""
        if nbytes <= _PIECE:
            first = offset // mmap.PAGESIZE * mmap.PAGESIZE
            self.mapped.madvise(mmap.MADV_WILLNEED, first, min(offset + 2 * nbytes, len(self.mapped)) - first)

    def release(self, start: int, stop: int) -> None:
        """Drop the pages that lie wholly within rows start…stop; a shared edge page stays for its other owner."""
        page = mmap.PAGESIZE
        first = -(-(self.offset + start * self.row_bytes) // page) * page
        last = (self.offset + stop * self.row_bytes) // page * page
        if last > first:
            self.mapped.madvise(mmap.MADV_DONTNEED, first, last - first)


def open_weights(directory: Path) -> dict[str, StoredTensor]:
    """Open every tensor of a checkpoint folder by its stored name; :class:`CheckpointError` on any defect."""
    index = directory / INDEX
    if index.is_file():
        return _open_shards(directory, index)
    files = sorted(directory.glob("*.safetensors"))
    single = directory / "model.safetensors"
    if single in files:
        files = [single]
    if not files:
        raise CheckpointError(
            f"{directory} holds no weights (*.safetensors)",
            "Give the folder that holds config.json and the safetensors files.",
        )
    tensors: dict[str, StoredTensor] = {}
    for file in files:
        shard = open_file(file)
        if twice := tensors.keys() & shard.keys():
            raise CheckpointError(
                f"{_short(min(twice))} stands in {file.name} and in another file of {directory}",
                "Keep one set of weights in the folder, or name the right files in model.safetensors.index.json.",
            )
        tensors |= shard
    return tensors


def weight_files(directory: Path) -> list[Path]:
    """Return the files that :func:`open_weights` reads, in order."""
    index = directory / INDEX
    if index.is_file():
        return [directory / name for name in sorted(set(_weight_map(index).values()))]
    single = directory / "model.safetensors"
    return [single] if single.is_file() else sorted(directory.glob("*.safetensors"))


def open_file(path: Path) -> dict[str, StoredTensor]:
    """Open one safetensors file; its tensors by their names."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            header = _header(file.read(8), size, path)
            text = file.read(header)
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise unreadable(path, error) from error
    tensors = {}
    for name, entry in parse_object(text, str(path)).items():
        if name != "__metadata__":
            tensors[name] = _tensor(name, entry, mapped, 8 + header, size, path)
    _check_overlap(tensors, path)
    return tensors


def _header(prefix: bytes, size: int, path: Path) -> int:
    length = int.from_bytes(prefix, "little")
    if len(prefix) < 8 or length > min(size - 8, _LARGEST_HEADER):
        raise CheckpointError(f"{path} announces a header of {length} bytes in a file of {size}", _AGAIN)
    return length


def _tensor(name: str, entry: Any, mapped: mmap.mmap, data_start: int, size: int, path: Path) -> StoredTensor:
    label = f"{_short(name)} in {path}"
    if not isinstance(entry, dict):
        raise CheckpointError(f"{label} has no dtype, shape and offsets", _AGAIN)
    dtype = _dtype(entry.get("dtype"), label)
    shape, offsets = _counts(entry.get("shape")), _counts(entry.get("data_offsets"))
    if shape is None or len(shape) > 8 or offsets is None or len(offsets) != 2:
        raise CheckpointError(f"{label} has no shape and offsets that make sense: {_short(entry)}", _AGAIN)
    begin, end = offsets
    if end - begin != (needed := math.prod(shape) * dtype.itemsize):
        raise CheckpointError(f"{label} takes {end - begin} bytes, but its shape needs {needed}", _AGAIN)
    if data_start + end > size:
        raise CheckpointError(f"{label} ends at byte {data_start + end}, but the file is cut off at {size}", _AGAIN)
    return StoredTensor(shape, dtype, mapped, data_start + begin)


def _counts(value: Any) -> tuple[int, ...] | None:
    if isinstance(value, list) and all(type(item) is int and 0 <= item < 2**62 for item in value):
        return tuple(value)
    return None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


def _dtype(name: Any, label: str) -> np.dtype[Any]:
    if isinstance(name, str) and name in _ML_DTYPES:
        import ml_dtypes

        lacking: np.dtype[Any] = np.dtype(getattr(ml_dtypes, _ML_DTYPES[name]))
        return lacking
    if not isinstance(name, str) or name not in _DTYPES:
        raise CheckpointError(
            f"{label} has the dtype {_short(name)}, which EdgeKit does not read",
            "Use a checkpoint in float16, bfloat16 or float32.",
        )
    return np.dtype(_DTYPES[name])


def _check_overlap(tensors: Mapping[str, StoredTensor], path: Path) -> None:
    end, previous = 0, ""
    for name, tensor in sorted(tensors.items(), key=lambda item: (item[1].offset, item[1].nbytes)):
        if tensor.nbytes and tensor.offset < end:
            raise CheckpointError(f"{_short(previous)} and {_short(name)} in {path} overlap", _AGAIN)
        end, previous = max(end, tensor.offset + tensor.nbytes), name


def _weight_map(index: Path) -> dict[str, str]:
    names = read_object(index).get("weight_map")
    if not isinstance(names, dict) or not all(isinstance(file, str) for file in names.values()):
        raise CheckpointError(f"{index} has no weight_map of tensor names to file names", _AGAIN)
    for file in set(names.values()):
        if not _SHARD.fullmatch(file):
            raise CheckpointError(
                f"{index} names the file {_short(file)}, which is no safetensors file of its own folder",
                "Don't use this checkpoint: an index has no reason to point elsewhere.",
            )
    return dict(names)


def _open_shards(directory: Path, index: Path) -> dict[str, StoredTensor]:
    names = _weight_map(index)
    files = sorted(set(names.values()))
    if missing := [file for file in files if not (directory / file).is_file()]:
        raise CheckpointError(
            f"{directory} lacks {len(missing)} of {len(files)} shards: {', '.join(missing[:3])}",
            f"Fetch the missing files into the folder; {INDEX} lists them all.",
        )
    shards = {file: open_file(directory / file) for file in files}
    if absent := [name for name, file in names.items() if name not in shards[file]]:
        raise CheckpointError(f"{_short(absent[0])} is not in {names[absent[0]]}, although {index} says so", _AGAIN)
    return {name: shards[file][name] for name, file in names.items()}
