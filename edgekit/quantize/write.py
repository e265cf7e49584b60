"""A quantized checkpoint on disk: what ``edgekit quantize`` leaves, and any stage can read again.

A directory of three files:

* ``edgekit.json``: ``{"format": 1, "edgekit": version, "source": name, "recipe": {…}, "spec": {…},
  "packed": {NAME: {"bits": 4, "group": 128, "k": 2048}, …}}``
* ``model.safetensors``: plain tensors under EdgeKit's names; a packed one as ``NAME.codes`` (int4: U8,
  int8: I8) and ``NAME.scales`` (F16), laid out as :class:`~edgekit.checkpoint.packed.PackedWeight` says
* ``tokenizer.json``
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np

from edgekit import __version__
from edgekit.checkpoint.checkpoint import Checkpoint, Weight
from edgekit.checkpoint.packed import PackedTensor, Tensor, groups, is_packed
from edgekit.checkpoint.quantized import ABOUT, FORMAT
from edgekit.checkpoint.tensor_file import Entry, Fill, Put, write_safetensors
from edgekit.config.writing import write_json
from edgekit.files import new_directory, write_text
from edgekit.progress import Progress, silent
from edgekit.quantize.quantize import quantize
from edgekit.recipe import Recipe
from edgekit.units import MIB

_RANGE_ELEMENTS = 4 * MIB


def write_checkpoint(checkpoint: Checkpoint, recipe: Recipe, directory: Path, progress: Progress = silent) -> None:
    """Quantize ``checkpoint`` and write it to ``directory``, which appears whole or not at all.

    Raises :class:`~edgekit.errors.EdgeKitError` when ``directory`` exists, when the disk is full, and
    what :func:`~edgekit.quantize.quantize` and reading its tensors raise.
    """
    entries: list[Entry] = []
    fills: list[tuple[int, Fill]] = []
    packed: dict[str, dict[str, int]] = {}
    for name, weight in quantize(checkpoint, recipe).tensors.items():
        if is_packed(weight):
            packed[name] = {"bits": weight.bits, "group": weight.group, "k": weight.shape[1]}
            entries += _packed_entries(name, weight)
            fills.append((_read_bytes(checkpoint.tensors[name]), _fill_packed(name, weight)))
        else:
            plain = cast("Tensor", weight)
            entries.append(Entry(name, "F32" if plain.dtype == np.float32 else "F16", plain.shape))
            fills.append((_read_bytes(checkpoint.tensors[name]), _fill_plain(name, plain)))
    about = {
        "format": FORMAT,
        "edgekit": __version__,
        "source": checkpoint.path.name,
        "recipe": recipe,
        "spec": checkpoint.spec,
        "packed": packed,
    }
    with new_directory(directory) as beside:
        write_safetensors(beside / "model.safetensors", entries, fills, {"format": "edgekit"}, progress)
        write_text(beside / "tokenizer.json", checkpoint.tokenizer_json)
        write_json(beside / ABOUT, about, "lines")


def _packed_entries(name: str, weight: PackedTensor) -> list[Entry]:
    n, k = weight.shape
    count = groups(k, weight.group)
    codes = (n, count * weight.group // 2) if weight.bits == 4 else (n, k)
    return [
        Entry(f"{name}.codes", "U8" if weight.bits == 4 else "I8", codes),
        Entry(f"{name}.scales", "F16", (n, count)),
    ]


def _fill_packed(name: str, weight: PackedTensor) -> Fill:
    def fill(put: Put) -> None:
        codes = scales = 0
        for start, stop in _row_ranges(weight):
            rows = weight.packed_rows(start, stop)
            put(f"{name}.codes", codes, rows.codes)
            put(f"{name}.scales", scales, rows.scales)
            codes, scales = codes + rows.codes.nbytes, scales + rows.scales.nbytes

    return fill


def _fill_plain(name: str, weight: Tensor) -> Fill:
    def fill(put: Put) -> None:
        offset = 0
        for start, stop in _row_ranges(weight):
            rows = weight.rows(start, stop)
            put(name, offset, rows)
            weight.release(start, stop)
            offset += rows.nbytes

    return fill


def _read_bytes(weight: Weight) -> int:
    bits = weight.bits if is_packed(weight) else 8 * cast("Tensor", weight).dtype.itemsize
    return math.prod(weight.shape) * bits // 8


def _row_ranges(weight: Weight) -> Iterator[tuple[int, int]]:
    step = max(1, _RANGE_ELEMENTS * weight.shape[0] // max(1, math.prod(weight.shape)))
    for start in range(0, weight.shape[0], step):
        yield start, min(start + step, weight.shape[0])
