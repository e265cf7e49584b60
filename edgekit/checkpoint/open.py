"""Opening a checkpoint: which dialect it is written in, whether every tensor is there and shaped as its config says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

from edgekit.checkpoint.checkpoint import Checkpoint, Weight, is_matrix
from edgekit.checkpoint.dialects import find_dialect
from edgekit.checkpoint.dialects.reading import Reading
from edgekit.checkpoint.documents import unreadable
from edgekit.checkpoint.forms import delta, open_source
from edgekit.checkpoint.left_out import left_out
from edgekit.checkpoint.packed import Tensor, is_packed
from edgekit.checkpoint.prequantized.fold import fold
from edgekit.checkpoint.prequantized.matrix import UnpackedMatrix
from edgekit.checkpoint.quantized import ABOUT, open_quantized
from edgekit.checkpoint.safetensors import weight_files
from edgekit.checkpoint.shapes import Shape, tensor_shapes
from edgekit.checkpoint.source import Source
from edgekit.errors import CheckpointError

_FLOATS = ("float16", "bfloat16", "float32")


def open_checkpoint(path: Path, vision: Path | None = None, *, requantize: bool = False) -> Checkpoint:
    """Open the checkpoint in folder ``path``; only headers are read, weights later and by rows.

    What tells forms apart is read at once: the last norm and, where a head that config.json ties is stored all the
    same, head and embedding up to the first piece that differs.
    ``vision`` is a folder with a CLIP or SigLIP tower to use in place of the checkpoint's own, needed
    when it has none. Of a checkpoint that another tool quantized, zero points and scales are read, too; with
    ``requantize``, matrices that don't fit EdgeKit's symmetric int4 are unpacked, and the spec's notes say so.
    :class:`CheckpointError` on anything that is damaged, missing, unknown or unsafe.
    """
    try:
        return _open(path, vision, requantize)
    except OSError as error:
        raise unreadable(path, error) from error


def _open(path: Path, vision: Path | None, requantize: bool) -> Checkpoint:
    if (path / ABOUT).is_file():
        if vision is not None:
            raise CheckpointError(
                f"{path} is quantized, vision tower included",
                "Give --vision when you quantize the original checkpoint.",
            )
        return open_quantized(path)
    source, notes = fold(open_source(path), requantize)
    tower, tower_notes = fold(open_source(vision), requantize) if vision is not None else (None, ())
    reading = find_dialect(source).read(source, tower)
    _check_biases(source, reading)
    tensors = _checked(reading, path)
    _check_norm(tensors, path)
    return Checkpoint(
        path=path,
        spec=replace(reading.spec, notes=(*reading.spec.notes, *left_out(source, reading), *notes, *tower_notes)),
        tensors=tensors,
        tokenizer_json=reading.tokenizer_json,
        bytes=sum(file.stat().st_size for file in weight_files(path)),
    )


def _check_biases(source: Source, reading: Reading) -> None:
    """AutoGPTQ writes biases of zeros beside Linears that have none: others would be lost without a word."""
    described = {stored for stored, _ in reading.tensors.values()}
    for name, tensor in source.tensors.items():
        bias = name.removesuffix("weight") + "bias"
        if name in described and _was_packed(tensor) and bias in source.tensors and bias not in described:
            extra = cast("Tensor", source.tensors[bias])
            if len(extra.shape) != 1 or extra.rows(0, extra.shape[0]).any():
                raise CheckpointError(
                    f"{bias} in {source.path} is not zero, but config.json describes a model without it",
                    "The weights are not those that config.json describes: compare both with the published ones.",
                )


def _was_packed(tensor: Weight) -> bool:
    return is_packed(tensor) or isinstance(tensor, UnpackedMatrix)


def _checked(reading: Reading, path: Path) -> Mapping[str, Weight]:
    missing = [stored for stored, tensor in reading.tensors.values() if tensor is None]
    if missing:
        shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        raise CheckpointError(
            f"{path} lacks {len(missing)} of {len(reading.tensors)} tensors: {shown}",
            "The weights are not those that config.json describes, or some files were not fetched.",
        )
    tensors = {name: tensor for name, (_, tensor) in reading.tensors.items() if tensor is not None}
    for name, expected in tensor_shapes(reading.spec).items():
        _check(name, reading.tensors[name][0], tensors[name], expected, path)
    return tensors


def _check_norm(tensors: Mapping[str, Weight], path: Path) -> None:
    """Whether these are a model's weights, or deltas of one: nothing else about a folder tells them apart."""
    norm = cast("Tensor", tensors["decoder.norm.weight"])
    if (error := delta.by_norm(path, norm.rows(0, norm.shape[0]))) is not None:
        raise error


def _check(name: str, stored: str, tensor: Weight, expected: Shape, path: Path) -> None:
    if tensor.shape != expected:
        raise CheckpointError(
            f"{stored!r} in {path} has the shape {list(tensor.shape)}, but config.json asks for {list(expected)}",
            "The weights are not those that config.json describes: compare both with the published ones.",
        )
    if is_packed(tensor):
        if not is_matrix(name):
            raise CheckpointError(
                f"{stored!r} in {path} is packed, and EdgeKit reads it in floating point only",
                "Give EdgeKit the original checkpoint in float16, bfloat16 or float32.",
            )
        return
    dtype = cast("Tensor", tensor).dtype.name
    if dtype not in _FLOATS:
        raise CheckpointError(
            f"{stored!r} in {path} is stored as {dtype}",
            "EdgeKit quantizes by itself: give it the checkpoint in float16, bfloat16 or float32.",
        )
