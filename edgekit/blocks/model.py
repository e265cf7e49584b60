"""A checkpoint as blocks in their order: tower, projector, decoder, head."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, cast

import numpy as np

from edgekit.blocks.block import Block, Floats
from edgekit.blocks.fed import FedGraph, fed_graph
from edgekit.checkpoint.checkpoint import Checkpoint, Weight
from edgekit.checkpoint.packed import Tensor, is_packed
from edgekit.export.embedding import EMBEDDING
from edgekit.export.streams import convert, row_ranges
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

    def encode(
        self, pixels: Sequence[Floats], step: Callable[[], None] = lambda: None
    ) -> tuple[list[Floats], list[Floats]]:
        """Read pictures ``[1, 3, size, size]``: their features ``[1, tokens, width]`` and their rows for the decoder
        ``[1, tokens, hidden]``. One goes after the other through each block, which is read once; ``step`` is called
        behind each."""
        features = list(pixels)
        for block in self.tower:
            features = [block(x) for x in features]
            step()
        projector = self.projector
        embeds = [projector(x) for x in features]
        step()
        return features, embeds

    @property
    def projector(self) -> Block:
        """From features to rows that the decoder reads."""
        return self._block("projector", "projector")

    def layer(self, index: int) -> Block:
        """Read a decoder's layer: ``[rows, length, hidden]`` → the same."""
        return self._block("decoder", f"decoder.layers.{index}")

    @cached_property
    def head(self) -> Block:
        """From the last layer's rows to logits ``[rows, length, vocab]``."""
        return self._block("head", "decoder")

    def embed(self, ids: Sequence[int]) -> Floats:
        """Read rows of the embedding table, float32 ``[len(ids), hidden]``; only these are read."""
        table = self.checkpoint.tensors[EMBEDDING]
        rows = {token: read(table, token, token + 1)[0] for token in sorted(set(ids))}
        return np.stack([rows[token] for token in ids]) if rows else np.zeros((0, table.shape[1]), np.float32)

    def _block(self, kind: str, name: str) -> Block:
        if kind not in self._kinds:
            unpacked = options()
            unpacked.add_session_config_entry("session.disable_prepacking", "1")
            graph = fed_graph(kind, self.spec, self.checkpoint.tensors)
            self._kinds[kind] = graph, open_graph(graph.model, self._provider, unpacked)
        graph, session = self._kinds[kind]
        layered = ".layers." in name

        def here(first: str) -> str:
            return first.replace(".layers.0.", f".{name.partition('.')[2]}.") if layered else first

        weights = {here(first): load(self.checkpoint.tensors[here(first)], here(first)) for first in graph.weights}
        reads = {here(first): tap for first, tap in graph.taps.items()}
        return Block(
            name=name,
            kind=kind,
            weights=weights,
            reads=reads,
            graph=graph,
            session=session,
            decoder=self.spec.decoder,
        )


def load(weight: Weight, name: str) -> Floats:
    """Read a whole tensor, float32; packed ones as the numbers that their codes stand for.

    :class:`~edgekit.errors.CheckpointError` where it holds what is no number.
    """
    values = np.empty(weight.shape, np.float32)
    for start, stop in row_ranges(weight.shape):
        values[start:stop] = convert(read(weight, start, stop), np.dtype(np.float32), name)
        if not is_packed(weight):
            cast("Tensor", weight).release(start, stop)
    return values


def read(weight: Weight, start: int, stop: int) -> Floats:
    """Read rows of a tensor, plain or packed, float32."""
    if is_packed(weight):
        return weight.packed_rows(start, stop).dequantize()
    return cast("Tensor", weight).rows(start, stop).astype(np.float32)
