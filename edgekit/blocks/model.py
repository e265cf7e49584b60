"""A checkpoint as blocks in their order: tower, projector, decoder, head."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, cast

import numpy as np

from edgekit.blocks.block import Block, Floats
from edgekit.blocks.fed import FedGraph, fed_graph
from edgekit.checkpoint.checkpoint import Checkpoint, Weight
from edgekit.checkpoint.packed import Tensor, is_packed
from edgekit.export.embedding import EMBEDDING
from edgekit.export.streams import chunks, convert
from edgekit.onnx_session import Provider, open_graph, options


class BlockModel:
    """Reads a checkpoint's blocks, plain or packed, one after another; ``provider`` runs them."""

    def __init__(self, checkpoint: Checkpoint, provider: Provider = "cpu") -> None:
        self.checkpoint, self.spec, self._provider = checkpoint, checkpoint.spec, provider
        self._kinds: dict[str, tuple[FedGraph, Any]] = {}

    @property
    def tower(self) -> Iterator[Block]:
        """From pixels ``[images, 3, size, size]`` to features ``[images, tokens, hidden]``."""
        yield self._block("embed", "vision")
        for index in range(self.spec.vision.layers):
            yield self._block("tower", f"vision.layers.{index}")
        yield self._block("features", "vision.post_norm")

    @property
    def projector(self) -> Block:
        """From features to rows that the decoder reads."""
        return self._block("projector", "projector")

    def layer(self, index: int) -> Block:
        """A decoder's layer: ``[rows, length, hidden]`` → the same."""
        return self._block("decoder", f"decoder.layers.{index}")

    @cached_property
    def head(self) -> Block:
        """From the last layer's rows to logits ``[rows, length, vocab]``."""
        return self._block("head", "decoder")

    def embed(self, ids: Sequence[int]) -> Floats:
        """Rows of the embedding table, float32 ``[len(ids), hidden]``; only these are read."""
        table = self.checkpoint.tensors[EMBEDDING]
        rows = {token: read(table, token, token + 1)[0] for token in sorted(set(ids))}
        return np.stack([rows[token] for token in ids]) if rows else np.zeros((0, table.shape[1]), np.float32)

    def _block(self, kind: str, name: str) -> Block:
        if kind not in self._kinds:
            made = options()
            made.add_session_config_entry("session.disable_prepacking", "1")
            graph = fed_graph(kind, self.spec, self.checkpoint.tensors)
            self._kinds[kind] = graph, open_graph(graph.data, self._provider, made)
        graph, session = self._kinds[kind]
        layered = ".layers." in name

        def here(first: str) -> str:
            return first.replace(".layers.0.", f".{name.partition('.')[2]}.") if layered else first

        weights = {here(one): load(self.checkpoint.tensors[here(one)], here(one)) for one in graph.weights}
        reads = {here(one): tap for one, tap in graph.taps.items()}
        return Block(name, kind, weights, reads, graph, session, self.spec.decoder)


def load(weight: Weight, name: str) -> Floats:
    """A whole tensor, float32; packed ones as the numbers that their codes stand for.

    :class:`~edgekit.errors.CheckpointError` where it holds what is no number.
    """
    found = np.empty(weight.shape, np.float32)
    for start, stop in chunks(weight.shape):
        found[start:stop] = convert(read(weight, start, stop), np.dtype(np.float32), name)
        if not is_packed(weight):
            cast("Tensor", weight).release(start, stop)
    return found


def read(weight: Weight, start: int, stop: int) -> Floats:
    """Rows of a tensor, plain or packed, float32."""
    if is_packed(weight):
        return weight.packed_rows(start, stop).dequantize()
    return cast("Tensor", weight).rows(start, stop).astype(np.float32)
