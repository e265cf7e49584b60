"""Quantizing by what a model reads: each block in turn, on inputs that the quantized blocks before it have made.

In go a checkpoint, a recipe with a method that wants samples, and the samples; out comes a checkpoint whose decoder is
packed. What each block became lies in a folder, a file a block, so that an interrupted run goes on where it stopped.
Memory holds one block, its inputs' second moments, and what it is being rounded to.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np

from edgekit import config
from edgekit.blocks import Block, BlockModel, Floats
from edgekit.checkpoint.checkpoint import Checkpoint, Weight, component, is_matrix, layer_of
from edgekit.checkpoint.packed import Bits, PackedWeight
from edgekit.checkpoint.quantized import StoredPacked
from edgekit.checkpoint.safetensors import open_file
from edgekit.checkpoint.tensor_file import Entry, Put, write_safetensors
from edgekit.export.embedding import EMBEDDING, HEAD
from edgekit.files import write_text, writing
from edgekit.onnx_session import fastest
from edgekit.progress import Progress, silent
from edgekit.quantize.layer import gather, quantized_block
from edgekit.quantize.quantize import quantize
from edgekit.quantize.rows import Rows, kept_rows, write_rows
from edgekit.quantize.samples import Sample
from edgekit.recipe import Recipe

_ABOUT = "calibration.json"


def looked_at(checkpoint: Checkpoint, recipe: Recipe) -> dict[str, Bits]:
    """List the matrices that calibration packs, and in how many bits: the decoder's and its head's."""
    bits: dict[str, Bits] = {"int4": 4, "int8": 8}
    return {
        name: bits[precision]
        for name in filter(is_matrix, checkpoint.tensors)
        if component(name) in ("decoder", "lm_head")
        and (precision := recipe.precision(component(name), layer_of(name))) in bits
    }


def calibrated(
    checkpoint: Checkpoint, recipe: Recipe, samples: Sequence[Sample], folder: Path, progress: Progress = silent
) -> tuple[Checkpoint, dict[str, float]]:
    """Return the checkpoint in the recipe's precision, matrices of the decoder and its head by ``recipe.method``; and
    the relative error of the outputs of each of those.

    ``folder`` keeps what is done (as large as the packed decoder, and the samples' rows); the checkpoint that is
    returned reads from it. :class:`~edgekit.errors.EdgeKitError` where a weight is no number or the disk is full.
    """
    model = BlockModel(checkpoint, fastest())
    plain = quantize(checkpoint, recipe)
    names = looked_at(checkpoint, recipe)
    lengths = [len(sample.rows) for sample in samples]
    _same_or_anew(folder, checkpoint, recipe, samples)
    hidden, layers = checkpoint.spec.decoder.hidden, checkpoint.spec.decoder.layers
    rows = kept_rows(folder, lengths, hidden)
    if rows is None:
        rows = write_rows(folder, 0, (sample.rows for sample in samples), lengths, hidden)
    weights = [sample.weights for sample in samples]
    progress("calibrating", rows.index, layers + 1)
    while rows.index < layers:
        index = rows.index
        block = model.layer(index)
        stand_ins = _quantize(block, rows, weights, names, recipe, folder)
        rows = rows.next(block(x[None], stand_ins)[0] for x in rows)
        progress("calibrating", index + 1, layers + 1)
    if not _file(folder, layers).exists():
        _quantize(model.head, rows, weights, names, recipe, folder)
    progress("calibrating", layers + 1, layers + 1)
    tensors: dict[str, Weight] = {}
    errors: dict[str, float] = {}
    for path in filter(Path.exists, (_file(folder, index) for index in range(layers + 1))):
        tensors |= _read(path, checkpoint, names, recipe.group)
        errors |= json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    if checkpoint.spec.decoder.tied and recipe.shares_head:  # one table for both, as it was
        tensors[EMBEDDING] = tensors[HEAD]
    return replace(plain, tensors={**plain.tensors, **tensors}), errors


def _quantize(
    block: Block, rows: Rows, weights: Sequence[Floats], names: Mapping[str, Bits], recipe: Recipe, folder: Path
) -> Mapping[str, Floats]:
    """Quantize a block and keep it; its weights as they are from now on."""
    wanted = {name: bits for name, bits in names.items() if name in block.weights}
    if not wanted:
        return block.weights
    moments = gather(block, zip(rows, weights, strict=True))
    quantized = quantized_block(block, moments, wanted, recipe.method, recipe.group)
    path = _file(folder, rows.index)
    write_text(path.with_suffix(".json"), json.dumps(quantized.errors) + "\n")
    _write(path, quantized.plain, quantized.packed)
    return {**quantized.plain, **{name: weight.dequantize() for name, weight in quantized.packed.items()}}


def _file(folder: Path, index: int) -> Path:
    return folder / f"block-{index:03}.safetensors"


def _write(path: Path, plain: Mapping[str, Floats], packed: Mapping[str, PackedWeight]) -> None:
    """A packed matrix as NAME.codes and NAME.scales; vectors in float16, whole matrices that stay as they are left
    out. Whole or not at all."""
    kept = {name: weight.astype(np.float16) for name, weight in plain.items() if weight.ndim == 1}
    entries = [Entry(name, "F16", weight.shape) for name, weight in kept.items()]
    for name, weight in packed.items():
        entries += [
            Entry(f"{name}.codes", "U8" if weight.bits == 4 else "I8", weight.codes.shape),
            Entry(f"{name}.scales", "F16", weight.scales.shape),
        ]

    def fill(put: Put) -> None:
        for name, vector in kept.items():
            put(name, 0, vector)
        for name, weight in packed.items():
            put(f"{name}.codes", 0, weight.codes)
            put(f"{name}.scales", 0, weight.scales)

    beside = path.with_suffix(".part")
    write_safetensors(beside, entries, [(1, fill)], {"format": "edgekit"})
    with writing(path):
        beside.replace(path)


def _read(path: Path, checkpoint: Checkpoint, names: Mapping[str, Bits], group: int) -> dict[str, Weight]:
    stored = open_file(path)
    tensors: dict[str, Weight] = {}
    for name in {key.removesuffix(".codes").removesuffix(".scales") for key in stored}:
        if name in names:
            shape = checkpoint.tensors[name].shape
            width = group if names[name] == 4 else shape[1]
            tensors[name] = StoredPacked(shape, names[name], width, stored[f"{name}.codes"], stored[f"{name}.scales"])
        else:
            tensors[name] = cast("Weight", stored[name])
    return tensors


def _same_or_anew(folder: Path, checkpoint: Checkpoint, recipe: Recipe, samples: Sequence[Sample]) -> None:
    """What lies in ``folder`` is of just this run, or goes."""
    digest = hashlib.sha256(json.dumps(config.dump(recipe)).encode())
    digest.update(f"{checkpoint.path.resolve()} {checkpoint.bytes} {checkpoint.spec}".encode())
    for sample in samples:
        digest.update(sample.rows.tobytes())
        digest.update(sample.weights.tobytes())
    about = json.dumps({"run": digest.hexdigest()}) + "\n"
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / _ABOUT).exists() and (folder / _ABOUT).read_text(encoding="utf-8") == about:
            return
        for old in (*folder.glob("rows-*"), *folder.glob("block-*")):
            old.unlink()
    write_text(folder / _ABOUT, about)
