"""The embedding table beside a bundle's graphs: looked up on the host by rows, and so in need of no spelling."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper

from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.packed import is_packed
from edgekit.errors import CheckpointError
from edgekit.export import streams
from edgekit.export.graph import Fill, Graph, Initializer, Put
from edgekit.export.weights import stack
from edgekit.export.write import layout

EMBEDDING, HEAD = "decoder.embedding.weight", "decoder.lm_head.weight"
_HEAD_CODES = f"{HEAD}.codes"


def embedding(checkpoint: Checkpoint, decoder: Graph | None) -> tuple[list[Initializer], list[tuple[int, Fill]]]:
    """Lay out the table as ``weight`` ``[vocab, hidden]``, or int8 ``codes`` and float16 ``scales`` ``[vocab, 1]``.

    A tied head in int8 has the same codes: then ``codes_at`` (int64, one number) is their place in the data of the
    graph ``decoder``, where they lie as code + 128; None where a head can't be read so. :class:`CheckpointError` for a
    table in int4.
    """
    table = stack(checkpoint.tensors, [EMBEDDING])
    if table.storage == "plain":
        dtype = table.dtype(np.dtype(np.float32))
        code = int(helper.np_dtype_to_tensor_dtype(dtype))
        weights = [Initializer("weight", code, table.shape)]
        return weights, [(table.read_bytes, streams.plain("weight", table.plain, dtype))]
    if table.storage == "int4":
        raise CheckpointError(f"'{EMBEDDING}' is packed in int4", "Use a recipe with embedding = int8 or wider.")
    scales = Initializer("scales", TensorProto.FLOAT16, (table.shape[0], 1))
    fill = streams.packed("codes", "scales", table.packed, np.dtype(np.float16))
    if decoder is not None and is_the_head(checkpoint):
        place = layout(decoder.weights.values())[_HEAD_CODES].offset
        weights = [scales, Initializer("codes_at", TensorProto.INT64, (1,))]
        return weights, [(table.read_bytes, _scales_alone(fill, place))]
    return [Initializer("codes", TensorProto.INT8, table.shape), scales], [(table.read_bytes, fill)]


def is_the_head(checkpoint: Checkpoint) -> bool:
    """Say whether a tied head is stored in the very same codes."""
    table, head = checkpoint.tensors[EMBEDDING], checkpoint.tensors[HEAD]
    if not (checkpoint.spec.decoder.tied and is_packed(table) and is_packed(head) and table.bits == head.bits == 8):
        return False
    pieces = (
        [part.packed_rows(start, stop) for part in (table, head)] for start, stop in streams.row_ranges(table.shape)
    )
    return all(np.array_equal(a.codes, b.codes) and np.array_equal(a.scales, b.scales) for a, b in pieces)


def _scales_alone(every: Fill, place: int) -> Fill:
    def fill(put: Put) -> None:
        every(lambda name, offset, array: put(name, offset, array) if name == "scales" else None)
        put("codes_at", 0, np.array([place], np.int64))

    return fill
