"""Graphs as tests run them: opened with one thread, a decoder with a cache of its own, exact int8."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime

from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.packed import Array
from edgekit.checkpoint.spec import DecoderSpec
from edgekit.export import Activations, export
from edgekit.onnx_session import open_graph, options

Logits = npt.NDArray[np.float32]


def session(path: Path) -> Any:
    """As EdgeKit opens it, which knows what this processor needs for exact sums; with one thread."""
    session_options = options(threads=1)
    # DequantizeLinear and MatMul become MatMulNBits, which else rounds activations to int8.
    session_options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")
    return open_graph(path, "cpu", session_options)


def in_float32_activations(path: Path) -> None:
    """Have MatMulNBits multiply activations as they are, not rounded to int8: for exact comparison."""
    model = onnx.load(str(path), load_external_data=False)
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name == "accuracy_level":
                attribute.i = 1
    path.write_bytes(model.SerializeToString())


class Decoder:
    """A decoder graph with a cache of ``rows`` × ``capacity``, shared between past and present."""

    def __init__(
        self, path: Path, spec: DecoderSpec, rows: int = 1, capacity: int = 64, dtype: str = "float32"
    ) -> None:
        self._session, self._dtype = session(path), np.dtype(dtype)
        shape = (rows, spec.kv_heads, capacity, spec.head_dim)
        self._cache = {
            f"{layer}.{part}": onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros(shape, self._dtype))
            for layer in range(spec.layers)
            for part in ("key", "value")
        }
        self.lengths = np.zeros(rows, np.int32)

    def __call__(self, embeds: Array) -> Logits:
        """Append ``[rows, length, hidden]`` to every row's tokens; logits ``[rows, vocab]`` of the last."""
        self.lengths += embeds.shape[1]
        binding = self._session.io_binding()
        binding.bind_cpu_input("inputs_embeds", np.ascontiguousarray(embeds, self._dtype))
        binding.bind_cpu_input("logits_at", np.array(embeds.shape[1] - 1, np.int64))
        binding.bind_cpu_input("seqlens_k", self.lengths - 1)
        binding.bind_cpu_input("total_sequence_length", np.array(self.lengths.max(), np.int32))
        binding.bind_output("logits")
        for name, value in self._cache.items():
            binding.bind_ortvalue_input(f"past.{name}", value)
            binding.bind_ortvalue_output(f"present.{name}", value)
        self._session.run_with_iobinding(binding)
        logits: Logits = binding.get_outputs()[0].numpy()
        return logits

    def read(self, chunks: Iterable[Array]) -> Logits:
        """Logits ``[chunks, vocab]`` after each chunk ``[length, hidden]`` of a single row."""
        return np.concatenate([self(chunk[None]) for chunk in chunks])

    def take(self, row: int, other: Decoder) -> None:
        """Copy the only row of another decoder into ``row``."""
        for name, value in self._cache.items():
            array = value.numpy().copy()
            array[row] = other._cache[name].numpy()[0]
            value.update_inplace(array)
        self.lengths[row] = other.lengths[0]


@dataclass(frozen=True)
class Exported:
    """A checkpoint's graphs in a folder."""

    directory: Path
    checkpoint: Checkpoint
    activations: Activations

    def graph(self, name: str) -> Path:
        return self.directory / "graphs" / f"{name}.onnx"

    def features(self, pixels: Array) -> Array:
        """The projector's output for pixels ``[images, 3, size, size]``."""
        (features,) = session(self.graph("vision")).run(None, {"pixels": pixels.astype(self.activations)})
        (embeds,) = session(self.graph("projector")).run(None, {"features": features})
        result: Array = embeds
        return result

    def decoder(self, rows: int = 1) -> Decoder:
        return Decoder(self.graph("decoder"), self.checkpoint.spec.decoder, rows, dtype=self.activations)


def exported(checkpoint: Checkpoint, directory: Path, activations: Activations = "float32") -> Exported:
    """Export with a context of 64 tokens."""
    export(checkpoint, activations, 64, directory)
    return Exported(directory, checkpoint, activations)


def cut(tokens: Array, lengths: Sequence[int]) -> list[Array]:
    """Rows of ``tokens`` in consecutive pieces of the given lengths."""
    ends = np.cumsum(lengths)
    assert ends[-1] == len(tokens)
    return [tokens[end - length : end] for end, length in zip(ends, lengths, strict=True)]
