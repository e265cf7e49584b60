"""One block: its weights in memory, and what it makes of rows with those or with others in their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from edgekit.blocks.fed import FedGraph
from edgekit.checkpoint.spec import DecoderSpec
from edgekit.errors import EngineError
from edgekit.onnx_session import first_line

Floats: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Block:
    """A block and its weights.

    * ``name`` as tensors begin ("decoder.layers.3"), and ``kind`` (:func:`~edgekit.blocks.fed.fed_graph`)
    * ``weights`` by their full names, float32
    * ``reads``: what each Linear's weight is multiplied by, as a name; Linears that read the same have the same
    * ``graph`` of all blocks of the kind, and the ``session`` that runs it
    * ``decoder``: how its cache is shaped
    """

    name: str
    kind: str
    weights: Mapping[str, Floats]
    reads: Mapping[str, str]
    graph: FedGraph
    session: Any
    decoder: DecoderSpec

    def __call__(self, x: Floats, weights: Mapping[str, Floats] | None = None) -> Floats:
        """``x`` ``[rows, length, in]`` (pixels for "embed") → ``[rows, length, out]``.

        ``weights`` take the place of those of their names. Rows of a decoder are sequences from their first token on.
        """
        return self._run([self.graph.output], x, weights or {})[0]

    def with_taps(self, x: Floats, weights: Mapping[str, Floats] | None = None) -> tuple[Floats, dict[str, Floats]]:
        """Do as a call, and return as well what each Linear read, by the names in ``reads``: ``[rows, length, in]``."""
        taps = sorted(set(self.graph.taps.values()) - set(self.graph.inputs) - {self.graph.output})
        out, *tapped = self._run([self.graph.output, *taps], x, weights or {})
        read = dict(zip(taps, tapped, strict=True))
        return out, {name: read.get(name, x) for name in set(self.graph.taps.values())}

    def with_cache(self, x: Floats) -> tuple[Floats, Floats, Floats]:
        """Do as a call of a decoder's layer, and return as well the keys (behind rotary embedding) and values that it
        attended over: ``[rows, kv_heads, length, head_dim]``."""
        out, keys, values = self._run([self.graph.output, "present.0.key", "present.0.value"], x, {})
        return out, keys, values

    def behind(self, x: Floats, keys: Floats, values: Floats) -> Floats:
        """Do as a call of a decoder's layer, of rows that go on behind others, whose keys and values those are."""
        return self._run([self.graph.output], x, {}, (keys, values))[0]

    def _run(
        self, outputs: list[str], x: Floats, weights: Mapping[str, Floats], past: tuple[Floats, ...] = ()
    ) -> list[Floats]:
        feeds: dict[str, Any] = {
            _in_graph(name): weights.get(name, weight) for name, weight in self.weights.items()
        }  # fmt: skip
        feeds[self.graph.inputs[0]] = np.ascontiguousarray(x, dtype=np.float32)
        if self.kind == "decoder":
            feeds |= self._cache(x.shape[0], x.shape[1], past)
        try:
            values: list[Floats] = self.session.run(outputs, feeds)
        except Exception as error:  # the runtime's errors share no public base class
            raise EngineError(
                f"{self.name} can't be run: {first_line(error)}", "Check that there is memory left; --debug says more."
            ) from error
        return values

    def _cache(self, rows: int, length: int, past: tuple[Floats, ...]) -> dict[str, Any]:
        """A cache that holds ``past``, with room for what this call writes."""
        there = past[0].shape[2] if past else 0
        total = there + length
        feeds: dict[str, Any] = {
            "seqlens_k": np.full(rows, total - 1, np.int32),
            "total_sequence_length": np.array(total, np.int32),
        }
        for index, part in enumerate(("key", "value")):
            held = np.zeros((rows, self.decoder.kv_heads, total, self.decoder.head_dim), np.float32)
            if past:
                held[:, :, :there] = past[index]
            feeds[f"past.0.{part}"] = held
        return feeds


def _in_graph(name: str) -> str:
    """Every layer is run by the graph of the first."""
    part, _, rest = name.partition(".layers.")
    return f"{part}.layers.0.{rest.partition('.')[2]}" if rest else name
