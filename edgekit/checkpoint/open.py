"""Opening a checkpoint: which dialect it is written in, whether every tensor is there and shaped as its config says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.dialects import find_dialect
from edgekit.checkpoint.dialects.reading import Reading
from edgekit.checkpoint.documents import unreadable
from edgekit.checkpoint.quantized import ABOUT, open_quantized
from edgekit.checkpoint.safetensors import StoredTensor, weight_files
from edgekit.checkpoint.shapes import Shape, tensor_shapes
from edgekit.checkpoint.source import open_source
from edgekit.errors import CheckpointError

_FLOATS = ("float16", "bfloat16", "float32")


def open_checkpoint(path: Path, vision: Path | None = None) -> Checkpoint:
    """Open the checkpoint in folder ``path``; only headers are read, weights later and by rows.

    ``vision`` is a folder with a CLIP or SigLIP tower to use in place of the checkpoint's own, needed
    when it has none. :class:`CheckpointError` on anything that is damaged, missing, unknown or unsafe.
    """
    try:
        return _open(path, vision)
    except OSError as error:
        raise unreadable(path, error) from error


def _open(path: Path, vision: Path | None) -> Checkpoint:
    if (path / ABOUT).is_file():
        if vision is not None:
            raise CheckpointError(
                f"{path} is quantized, vision tower included",
                "Give --vision when you quantize the original checkpoint.",
            )
        return open_quantized(path)
    source = open_source(path)
    reading = find_dialect(source).read(source, open_source(vision) if vision is not None else None)
    return Checkpoint(
        path=path,
        spec=reading.spec,
        tensors=_checked(reading, path),
        tokenizer_json=reading.tokenizer_json,
        bytes=sum(file.stat().st_size for file in weight_files(path)),
    )


def _checked(reading: Reading, path: Path) -> Mapping[str, StoredTensor]:
    missing = [stored for stored, tensor in reading.tensors.values() if tensor is None]
    if missing:
        shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        raise CheckpointError(
            f"{path} lacks {len(missing)} of {len(reading.tensors)} tensors: {shown}",
            "The weights are not those that config.json describes, or some files were not fetched.",
        )
    tensors = {name: tensor for name, (_, tensor) in reading.tensors.items() if tensor is not None}
    for name, expected in tensor_shapes(reading.spec).items():
        _check(reading.tensors[name][0], tensors[name], expected, path)
    return tensors


def _check(stored: str, tensor: StoredTensor, expected: Shape, path: Path) -> None:
    if tensor.shape != expected:
        raise CheckpointError(
            f"{stored!r} in {path} has the shape {list(tensor.shape)}, but config.json asks for {list(expected)}",
            "The weights are not those that config.json describes: compare both with the published ones.",
        )
    if tensor.dtype.name not in _FLOATS:
        raise CheckpointError(
            f"{stored!r} in {path} is stored as {tensor.dtype.name}",
            "EdgeKit quantizes by itself: give it the checkpoint in float16, bfloat16 or float32.",
        )
