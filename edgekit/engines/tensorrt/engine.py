"""The TensorRT engine: three plans, a KV arena on the GPU, and everything else that it needs there, taken at the start.

TensorRT computes and EdgeKit keeps: the decoder's plan reads the arena's leading rows as they lie and gives new keys
and values alone, which are written behind each row's tokens. Nothing runs at once with anything else (one stream, one
caller), so all contexts share one scratch.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgekit import machine
from edgekit.bundle import Bundle
from edgekit.checkpoint.packed import Array
from edgekit.engines.base import Logits
from edgekit.engines.believed import compile_again, digests
from edgekit.engines.embedding import Embedding
from edgekit.engines.gpu.arena import BucketArena, buckets
from edgekit.engines.gpu.cuda import CudaDevice
from edgekit.engines.gpu.device import Device
from edgekit.engines.kv import ArenaShape, arena_shape
from edgekit.engines.tensorrt.context import Stage
from edgekit.engines.tensorrt.decoder import DECODE, PREFILL, Decoder, require_decoder
from edgekit.engines.tensorrt.loaded import Loaded
from edgekit.errors import EngineError
from edgekit.target.kinds import EngineKind

_DTYPE = "float16"


class TensorRtEngine:
    """A :class:`~edgekit.engines.base.PartedEngine` over ``vision.plan``, ``projector.plan`` and ``decoder.plan``.

    ``plans`` is their folder, ``module`` is ``tensorrt`` or ``tensorrt_rtx``; ``slots``, ``context`` and ``chunk`` must
    be within what the plans were built for. ``device`` is the GPU, and is closed with the engine; without it
    the one that CUDA calls ``ordinal``.
    :class:`~edgekit.errors.EngineError` where a plan or the GPU can't, :class:`~edgekit.errors.MissingExtra` without
    cuda-python; nothing is held then.
    """

    on_gpu = True

    def __init__(
        self,
        bundle: Bundle,
        plans: Path,
        module: Any,
        slots: int,
        context: int,
        chunk: int,
        device: Device | None = None,
        *,
        ordinal: int = 0,
    ) -> None:
        self.plans, self.slots, self.context, self.chunk = plans, slots, context, chunk
        manifest, decoder = bundle.manifest, bundle.manifest.spec.decoder
        assert 0 < chunk <= context <= manifest.context
        kind = manifest.target.kind
        shape = arena_shape(decoder, kind, "activations", slots, context, chunk)
        with ExitStack() as held:
            self._device = device or CudaDevice(_extra(module), ordinal)
            held.callback(self._device.close)
            if manifest.recipe.kv == "int8":
                raise EngineError(
                    "TensorRT can't compute over keys and values in int8", 'Build by a recipe with kv = "activations".'
                )
            _require_aligned(shape, kind)
            self._hidden = decoder.hidden
            self._embedding = Embedding(bundle.file("embedding.safetensors"), decoder.hidden, _DTYPE)
            loaded = held.enter_context(
                Loaded(plans, module, self._device, compile_again(bundle), digests(bundle, plans))
            )
            require_decoder(loaded.plans["decoder"], decoder, slots, context, chunk, buckets(context)[0])
            vision, projector, decode, prefill = loaded.contexts()
            self._arena = BucketArena(shape, self._device)
            held.callback(self._arena.close)
            self._decoder = Decoder({PREFILL: prefill, DECODE: decode}, decoder, self._arena, self._device)
            held.callback(self._decoder.close)
            tower = manifest.spec.vision
            pixels, features = (3, tower.image_size, tower.image_size), (tower.tokens, tower.hidden)
            self._vision = Stage(loaded.plans["vision"], vision, self._device, "pixels", "features", pixels)
            held.callback(self._vision.close)
            self._projector = Stage(loaded.plans["projector"], projector, self._device, "features", "embeds", features)
            held.callback(self._projector.close)
            self._device.synchronize()
            loaded.cache.keep()
            self._held = held.pop_all()

    @property
    def kv_bytes(self) -> int:
        return self._arena.nbytes

    def encode(self, pixels: npt.NDArray[np.float32]) -> Array:
        return self.project(self.features(pixels))

    def features(self, pixels: npt.NDArray[np.float32]) -> Array:
        return self._vision.run(pixels)

    def project(self, features: Array) -> Array:
        return self._projector.run(features)

    def embed(self, tokens: Sequence[int]) -> Array:
        return self._embedding.rows(tokens)

    def prefill(self, slot: int, embeds: Array, start: int) -> Logits:
        count, arena = len(embeds), self._arena
        assert 0 < count <= self.chunk and start + count <= self.context
        assert start <= arena.lengths[slot]
        arena.lengths[slot] = start  # what lay behind is forgotten, and need not move when the arena is laid out anew
        arena.make_room(start + count, shrink=True)
        logits = self._decoder.run(PREFILL, arena.row(slot), [start], embeds[None], count - 1)
        arena.lengths[slot] = start + count
        self._wash([slot], logits)
        row: Logits = logits[0]
        return row

    def decode(self, tokens: Sequence[int], slots: Sequence[int]) -> Logits:
        assert len(tokens) == len(slots) == len(set(slots))
        arena = self._arena
        assert all(0 < arena.lengths[slot] < self.context for slot in slots)
        arena.lead(slots)
        arena.make_room(1 + max(arena.lengths[slot] for slot in slots))
        rows = [arena.row(slot) for slot in slots]
        embeds = np.empty((len(slots), 1, self._hidden), _DTYPE)
        embeds[rows, 0] = self._embedding.rows(tokens)
        starts = [arena.lengths[arena.slot_at(row)] for row in range(len(slots))]
        logits = self._decoder.run(DECODE, 0, starts, embeds, 0)[rows]
        for slot in slots:
            arena.lengths[slot] += 1
        self._wash(slots, logits)
        return logits

    def copy(self, source: int, target: int, length: int) -> None:
        assert length <= self._arena.lengths[source]
        self._arena.copy(source, target, length)

    def close(self) -> None:
        self._held.close()

    def _wash(self, slots: Sequence[int], logits: Logits) -> None:
        """A slot whose logits are no numbers has keys that are none; they must not outlive it in the arena."""
        for slot, sound in zip(slots, map(np.all, np.isfinite(logits)), strict=True):
            if not sound:
                self._arena.wash(slot)


def _require_aligned(shape: ArenaShape, kind: EngineKind) -> None:
    """Rows of the whole context begin at places that TensorRT takes, or it is no context for this model."""
    step = kind.context_step(shape.kv_heads * shape.head_dim)
    if shape.context % step:
        raise EngineError(
            f"TensorRT can't run a context of {shape.context} tokens of this model: its rows would lie askew",
            f"Build the bundle with a context that is a multiple of {step}.",
        )


def _extra(module: Any) -> str:
    """Which extra brings cuda-python beside that TensorRT."""
    if module.__name__ == "tensorrt_rtx":
        return "rtx"
    return "jetson" if machine.look().jetson else "tensorrt"
