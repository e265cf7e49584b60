"""Checkpoints that ``edgekit quantize`` wrote: the description in edgekit.json, matrices packed beside plain tensors.

A packed matrix NAME lies in model.safetensors as ``NAME.codes`` and ``NAME.scales``, laid out as
:class:`~edgekit.checkpoint.packed.PackedWeight` says; edgekit.json lists bits, group and k of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from edgekit import config
from edgekit.checkpoint.check import check_spec
from edgekit.checkpoint.checkpoint import Checkpoint, Weight, is_matrix
from edgekit.checkpoint.documents import read_object, read_text
from edgekit.checkpoint.packed import Bits, PackedWeight, groups
from edgekit.checkpoint.safetensors import StoredTensor, open_weights, weight_files
from edgekit.checkpoint.shapes import (
    Shape,
    cache_scales,
    has_cache_scales,
    has_input_ranges,
    input_ranges,
    tensor_shapes,
)
from edgekit.checkpoint.spec import ModelSpec
from edgekit.errors import CheckpointError, ConfigError

ABOUT = "edgekit.json"
FORMAT = 1
_AGAIN = "The folder is damaged or was copied in part: run 'edgekit quantize' again."


@dataclass(frozen=True)
class _Layout:
    """An entry of edgekit.json's "packed"."""

    bits: Literal[4, 8]
    group: int
    k: int


@dataclass(frozen=True)
class StoredPacked:
    """A packed matrix in a mapped file; satisfies :class:`~edgekit.checkpoint.packed.PackedTensor`."""

    shape: tuple[int, ...]
    bits: Bits
    group: int
    codes: StoredTensor
    scales: StoredTensor

    @property
    def nbytes(self) -> int:
        return self.codes.nbytes + self.scales.nbytes

    def packed_rows(self, start: int, stop: int) -> PackedWeight:
        """Return rows start…stop, as views of the file.

        Readers go through a matrix from its first row to its last, so the pages of the stretch before
        this one are given back: a pass over the checkpoint does not pile up resident memory.
        """
        behind = max(0, 2 * start - stop)
        self.codes.release(behind, start)
        self.scales.release(behind, start)
        return PackedWeight(
            self.bits, self.group, self.shape[1], self.codes.rows(start, stop), self.scales.rows(start, stop)
        )


def open_quantized(path: Path) -> Checkpoint:
    """Open a folder with an edgekit.json; :class:`CheckpointError` when anything in it does not fit together."""
    file = str(path / ABOUT)
    about = read_object(path / ABOUT)
    again = "Use the EdgeKit that wrote it, or quantize the original checkpoint again."
    try:
        config.require_format(about, FORMAT, file, again)
        spec = config.load(ModelSpec, about.get("spec"), f"{file}: spec")
        layouts = config.load(dict[str, _Layout], about.get("packed"), f"{file}: packed")
    except ConfigError as error:
        raise CheckpointError(error.message, error.hint) from None
    check_spec(spec, file)
    stored = open_weights(path)
    shapes = tensor_shapes(spec)
    shapes |= cache_scales(spec.decoder) if has_cache_scales(stored) else {}
    shapes |= input_ranges(spec) if has_input_ranges(stored) else {}
    tensors = {name: _weight(name, shape, stored, layouts.get(name), path) for name, shape in shapes.items()}
    return Checkpoint(
        path=path,
        spec=spec,
        tensors=tensors,
        tokenizer_json=read_text(path / "tokenizer.json"),
        bytes=sum(weights.stat().st_size for weights in weight_files(path)),
    )


def _weight(name: str, shape: Shape, stored: dict[str, StoredTensor], layout: _Layout | None, path: Path) -> Weight:
    if layout is None:
        return _stored(name, shape, ("float16", "float32"), stored, path)
    whole = shape[-1] if layout.bits == 8 else layout.group
    right = layout.k == shape[-1] and layout.group == whole and (layout.bits == 8 or layout.group in (32, 64, 128))
    if not is_matrix(name) or not right:
        raise CheckpointError(f"{path / ABOUT} packs {name} in a way that EdgeKit does not", _AGAIN)
    n, count = shape[0], groups(layout.k, layout.group)
    width, kind = (count * layout.group // 2, "uint8") if layout.bits == 4 else (layout.k, "int8")
    codes = _stored(f"{name}.codes", (n, width), (kind,), stored, path)
    scales = _stored(f"{name}.scales", (n, count), ("float16",), stored, path)
    return StoredPacked(shape, layout.bits, layout.group, codes, scales)


def _stored(
    name: str, shape: Shape, kinds: tuple[str, ...], stored: dict[str, StoredTensor], path: Path
) -> StoredTensor:
    tensor = stored.get(name)
    if tensor is None:
        raise CheckpointError(f"{path} lacks the tensor {name}", _AGAIN)
    if tensor.shape != shape or tensor.dtype not in [np.dtype(kind) for kind in kinds]:
        stands, wanted = f"{tensor.dtype} {list(tensor.shape)}", f"{' or '.join(kinds)} {list(shape)}"
        raise CheckpointError(f"{name} in {path} is {stands}, but {ABOUT} asks for {wanted}", _AGAIN)
    return tensor
