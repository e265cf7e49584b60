"""The graphs that TensorRT gets, run by ONNX Runtime on a CPU: what proves them where there is no GPU.

Slow, and not meant for patients: keys and values are copied in front of every call, as far as rows reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgekit.bundle import Bundle
from edgekit.checkpoint.packed import Array
from edgekit.engines.base import Logits
from edgekit.engines.embedding import Embedding
from edgekit.errors import EngineError
from edgekit.onnx_session import first_line, giving_back, open_graph, options


class StandardEngine:
    """An :class:`edgekit.engines.base.Engine` over the ``trt`` graphs in a folder, its arena in ordinary memory."""

    on_gpu = False
    plans: Path | None = None

    def __init__(self, bundle: Bundle, graphs: Path, slots: int) -> None:
        manifest = bundle.manifest
        self.slots, self.context, self.chunk = slots, manifest.context, manifest.target.kind.chunk
        self._dtype = np.dtype(manifest.target.activations)
        self._embedding = Embedding(
            bundle.file("embedding.safetensors"), manifest.spec.decoder.hidden, manifest.target.activations
        )
        self._vision, self._projector, self._decoder = (
            open_graph(graphs / f"{name}.onnx", "cpu", _options()) for name in ("vision", "projector", "decoder")
        )
        decoder = manifest.spec.decoder
        shape = slots, decoder.kv_heads, self.context, decoder.head_dim
        names = [f"{layer}.{part}" for layer in range(decoder.layers) for part in ("key", "value")]
        self._held: dict[str, Array] = {name: np.zeros(shape, self._dtype) for name in names}
        self._lengths = np.zeros(slots, np.int32)

    @property
    def kv_bytes(self) -> int:
        return sum(held.nbytes for held in self._held.values())

    def encode(self, pixels: npt.NDArray[np.float32]) -> Array:
        return self.project(self.features(pixels))

    def features(self, pixels: npt.NDArray[np.float32]) -> Array:
        return self._each(self._vision, "pixels", pixels)

    def project(self, features: Array) -> Array:
        return self._each(self._projector, "features", features)

    def _each(self, session: Any, input_name: str, images: Array) -> Array:
        """One image at a time, as the engine of a device is built for."""
        try:
            return np.concatenate(
                [
                    session.run(None, {input_name: images[i : i + 1].astype(self._dtype)}, giving_back())[0]
                    for i in range(len(images))
                ]
            )
        except Exception as error:  # the runtime's errors share no public base class
            raise _failed(error) from error

    def embed(self, tokens: Sequence[int]) -> Array:
        return self._embedding.rows(tokens)

    def prefill(self, slot: int, embeds: Array, start: int) -> Logits:
        assert 0 < len(embeds) <= self.chunk and start + len(embeds) <= self.context
        assert start <= self._lengths[slot]
        self._lengths[slot] = start
        logits: Logits = self._run(embeds[None], [slot])[0]
        return logits

    def decode(self, tokens: Sequence[int], slots: Sequence[int]) -> Logits:
        assert len(tokens) == len(slots) == len(set(slots))
        return self._run(self._embedding.rows(tokens)[:, None], slots)

    def _run(self, embeds: Array, slots: Sequence[int]) -> Logits:
        """Append ``[rows, length, hidden]`` to the slots; logits ``[rows, vocab]`` of the last token of each."""
        rows, length = list(slots), embeds.shape[1]
        starts = self._lengths[rows]
        past = max(1, int(starts.max()))  # a graph wants one place, held or not
        feeds: dict[str, Array] = {f"past.{name}": held[rows, :, :past] for name, held in self._held.items()}
        feeds |= {
            "inputs_embeds": embeds.astype(self._dtype),
            "lengths": starts,
            "logits_at": np.array(length - 1, np.int64),
        }
        try:
            logits, *new = self._decoder.run(["logits", *(f"present.{name}" for name in self._held)], feeds)
        except Exception as error:  # the runtime's errors share no public base class
            raise _failed(error) from error
        for held, fresh in zip(self._held.values(), new, strict=True):
            for row, (slot, start) in enumerate(zip(rows, starts, strict=True)):
                held[slot, :, start : start + length] = fresh[row]
        self._lengths[rows] += length
        appended: Logits = logits
        return appended

    def copy(self, source: int, target: int, length: int) -> None:
        assert length <= self._lengths[source]
        for held in self._held.values():
            held[target, :, :length] = held[source, :, :length]
        self._lengths[target] = length

    def close(self) -> None:
        self._vision = self._projector = self._decoder = None
        self._held.clear()


def _options() -> Any:
    """DequantizeLinear and MatMul become one kernel, which else rounds activations to int8: TensorRT's does not."""
    settings = options()
    settings.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")
    return settings


def _failed(error: Exception) -> EngineError:
    return EngineError(f"ONNX Runtime failed: {first_line(error)}", "Run with --debug for its whole message.")
