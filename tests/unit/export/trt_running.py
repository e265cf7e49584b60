"""Runs ``trt`` graphs on ONNX Runtime's CPU provider, their cache kept as an engine would keep it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgekit.checkpoint.spec import DecoderSpec
from tests.unit.export.running import session

Array = npt.NDArray[Any]


class TrtDecoder:
    """A decoder over a cache of ``capacity`` places a row. What was never written is no number: none may be read."""

    def __init__(self, graph: Path, spec: DecoderSpec, rows: int, capacity: int, dtype: str = "float32") -> None:
        self._session, self._dtype = session(graph), dtype
        shape = rows, spec.kv_heads, capacity, spec.head_dim
        names = [f"{layer}.{part}" for layer in range(spec.layers) for part in ("key", "value")]
        self.held: dict[str, Array] = {name: np.full(shape, 50, dtype) for name in names}
        self.lengths = np.zeros(rows, np.int32)

    def __call__(self, embeds: Array) -> npt.NDArray[np.float32]:
        """Append ``[rows, length, hidden]`` to every row's tokens; logits ``[rows, vocab]`` of the last."""
        length = embeds.shape[1]
        feeds: dict[str, Array] = {f"past.{name}": held for name, held in self.held.items()}
        feeds |= {"inputs_embeds": embeds.astype(self._dtype), "lengths": self.lengths}
        feeds["logits_at"] = np.array(length - 1, np.int64)
        names = [f"present.{name}" for name in self.held]
        logits, *present = self._session.run(["logits", *names], feeds)
        for held, new in zip(self.held.values(), present, strict=True):
            for row, start in enumerate(self.lengths):
                held[row, :, start : start + length] = new[row]
        self.lengths += length
        result: npt.NDArray[np.float32] = logits
        return result

    def take(self, row: int, other: TrtDecoder) -> None:
        """Copy the only row of another decoder into ``row``."""
        for name, held in self.held.items():
            held[row] = other.held[name][0]
        self.lengths[row] = other.lengths[0]
