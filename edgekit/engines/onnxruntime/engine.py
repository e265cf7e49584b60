"""The ONNX Runtime engine: three sessions and a KV arena, on the CPU or on an NVIDIA GPU.

Keys and values never move: past and present of a call are bound to the same memory, the arena's rows
themselves. Decoding takes the leading rows; the arena sees to it that the slots that decode lie there.

On the CPU the kernels take tokens in pairs, and the last bits of a token left over differ from those of
a token in a pair. So that the same request gives the same text, whoever else is asking and however its
prompt was cut, every call has an even number of tokens: a prompt's odd piece gets one more, and an odd
number of rows decodes beside an idle one. What those write lies past the end of what is valid and is
written over later. (With a single slot, decoding has no company: one row decodes as it is.)
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from edgekit.bundle import Bundle
from edgekit.checkpoint.packed import Array
from edgekit.engines.arena import Arena
from edgekit.engines.base import Logits
from edgekit.engines.embedding import Embedding
from edgekit.engines.kv import arena_shape
from edgekit.engines.onnxruntime.arenas import CudaArena, HostArena
from edgekit.errors import EngineError
from edgekit.onnx_session import Provider, first_line, giving_back, open_graph, options, runtime_version
from edgekit.recipe import Recipe

DECODER = "decoder.onnx"
INT8_CACHE_SINCE = (1, 28)
"""The first whose CPU attention is right over an int8 cache. 1.27 has it, too, but of rows that decode together only
the first is right; 1.26 fails at the first question, 1.23 refuses the graph (each was tried)."""


class OnnxRuntimeEngine:
    """An :class:`edgekit.engines.base.Engine` over the graphs in a folder.

    They are the bundle's, or with ``final`` those of a compiled form, which are optimized already. ``decoder`` is the
    decoder's file among them. ``ordinal`` is what CUDA calls the GPU.
    """

    plans = None

    def __init__(
        self,
        bundle: Bundle,
        graphs: Path,
        slots: int,
        provider: Provider = "cpu",
        *,
        final: bool = False,
        decoder: str = DECODER,
        ordinal: int = 0,
    ) -> None:
        manifest = bundle.manifest
        require_kernels(manifest.recipe)
        self.slots, self.context, self.provider = slots, manifest.context, provider
        self._dtype = manifest.target.activations
        self._vocab = manifest.spec.decoder.vocab
        self._embedding = Embedding(bundle.file("embedding.safetensors"), manifest.spec.decoder.hidden, self._dtype)
        self._vision = open_graph(graphs / "vision.onnx", provider, options(final=final), ordinal)
        self._projector = open_graph(graphs / "projector.onnx", provider, options(final=final), ordinal)
        self._decoder = open_graph(graphs / decoder, provider, options(final=final), ordinal)
        kind = manifest.target.kind
        self.chunk = kind.chunk
        shape = arena_shape(manifest.spec.decoder, kind, manifest.recipe.kv, slots, self.context, self.chunk)
        self._arena: Arena = HostArena(shape) if provider == "cpu" else CudaArena(shape, ordinal)
        self._calls: dict[int, _Call] = {}

    @property
    def on_gpu(self) -> bool:
        return self.provider != "cpu"

    @property
    def kv_bytes(self) -> int:
        return self._arena.nbytes

    def encode(self, pixels: npt.NDArray[np.float32]) -> Array:
        images = [self.project(self.features(pixels[i : i + 1])) for i in range(len(pixels))]
        return np.concatenate(images)

    def features(self, pixels: npt.NDArray[np.float32]) -> Array:
        return self._each(self._vision, "pixels", "features", pixels)

    def project(self, features: Array) -> Array:
        return self._each(self._projector, "features", "embeds", features)

    def _each(self, session: Any, input_name: str, output_name: str, images: Array) -> Array:
        """One image at a time: dynamic int8 takes its range from the whole input, so images must not mix."""
        try:
            outputs = [
                session.run([output_name], {input_name: images[i : i + 1].astype(self._dtype)}, giving_back())[0]
                for i in range(len(images))
            ]
        except Exception as error:  # the runtime's errors share no public base class
            raise _failed(error) from error
        return outputs[0] if len(outputs) == 1 else np.concatenate(outputs)

    def embed(self, tokens: Sequence[int]) -> Array:
        return self._embedding.rows(tokens)

    def prefill(self, slot: int, embeds: Array, start: int) -> Logits:
        count, arena = len(embeds), self._arena
        assert 0 < count <= self.chunk and start + count <= self.context
        assert start <= arena.lengths[slot]
        length = min(_even(count), self.context - start)
        call = _Call(self._decoder, arena, arena.row(slot), 1, length, self._vocab, self._dtype)
        call.embeds[0, :count] = embeds
        logits: Logits = call.run([start + length], logits_at=count - 1)[0]
        arena.lengths[slot] = start + count
        return logits

    def decode(self, tokens: Sequence[int], slots: Sequence[int]) -> Logits:
        assert len(tokens) == len(slots) == len(set(slots))
        arena = self._arena
        assert all(0 < arena.lengths[slot] < self.context for slot in slots)
        arena.lead(slots)
        rows = min(_even(len(slots)), arena.shape.slots)
        if rows not in self._calls:
            self._calls[rows] = _Call(self._decoder, arena, 0, rows, 1, self._vocab, self._dtype)
        call = self._calls[rows]
        at = [arena.row(slot) for slot in slots]
        call.embeds[:, 0] = 0
        call.embeds[at, 0] = self._embedding.rows(tokens)
        logits = call.run([min(arena.lengths[arena.slot_at(row)] + 1, self.context) for row in range(rows)])
        for slot in slots:
            arena.lengths[slot] += 1
        return logits[at]

    def copy(self, source: int, target: int, length: int) -> None:
        assert length <= self._arena.lengths[source]
        self._arena.copy(source, target, length)

    def close(self) -> None:
        self._calls.clear()
        self._vision = self._projector = self._decoder = None
        self._arena.close()


class _Call:
    """One shape of a decoder call, bound once: ``rows`` from ``row`` on, ``length`` tokens each."""

    def __init__(self, session: Any, arena: Arena, row: int, rows: int, length: int, vocab: int, dtype: str) -> None:
        shape = arena.shape
        hidden = session.get_inputs()[0].shape[2]
        self.embeds = np.zeros((rows, length, hidden), dtype)
        self._totals = np.zeros(rows, np.int32)
        self._longest = np.zeros((), np.int32)
        self._logits_at = np.zeros((), np.int64)
        self._logits = np.zeros((rows, vocab), np.float32)
        self._session, self._binding = session, session.io_binding()
        self._bind("inputs_embeds", self.embeds)
        self._bind("logits_at", self._logits_at)
        self._bind("seqlens_k", self._totals)
        self._bind("total_sequence_length", self._longest)
        self._binding.bind_output("logits", "cpu", 0, np.float32, self._logits.shape, self._logits.ctypes.data)
        past = (rows, shape.kv_heads, shape.context, shape.head_dim)
        for layer, addresses in enumerate(arena.pointers(row)):
            device, number = arena.device, arena.ordinal
            for kind, address in zip(("key", "value"), addresses, strict=True):
                element = np.dtype(shape.dtype).type
                self._binding.bind_input(f"past.{layer}.{kind}", device, number, element, past, address)
                self._binding.bind_output(f"present.{layer}.{kind}", device, number, element, past, address)

    def _bind(self, name: str, array: Array) -> None:
        self._binding.bind_input(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)

    def run(self, totals: Sequence[int], logits_at: int = 0) -> Logits:
        """Run with the rows' lengths after this call; logits ``[rows, vocab]`` of one token (a copy)."""
        self._logits_at[()] = logits_at
        self._totals[:] = totals
        self._totals -= 1
        self._longest[()] = max(totals)
        try:
            self._session.run_with_iobinding(self._binding)
        except Exception as error:  # the runtime's errors share no public base class
            raise _failed(error) from error
        logits: Logits = self._logits.copy()
        return logits


def require_kernels(recipe: Recipe) -> None:
    """Raise :class:`EngineError` where the installed runtime is too old for the recipe's KV cache."""
    if recipe.kv == "int8" and runtime_version() < INT8_CACHE_SINCE:
        since = ".".join(map(str, INT8_CACHE_SINCE))
        raise EngineError(
            f"This bundle keeps keys and values in int8, which ONNX Runtime {ort.__version__} can't compute with",
            f"Run: pip install 'onnxruntime>={since}'. Or build it by a recipe with kv = \"activations\".",
        )


def _even(count: int) -> int:
    return count + count % 2


def _failed(error: Exception) -> EngineError:
    return EngineError(f"ONNX Runtime failed: {first_line(error)}", "Run with --debug for its whole message.")
