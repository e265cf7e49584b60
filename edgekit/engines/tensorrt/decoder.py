"""The decoder's plan over the arena: embeddings of some rows in, logits out, new keys and values to their places.

Prefill and decode are two profiles with a context each: TensorRT chooses kernels for a profile's usual shape, and
one row of many tokens wants others than many rows of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from edgekit.checkpoint.packed import Array
from edgekit.checkpoint.spec import DecoderSpec
from edgekit.engines.base import Logits
from edgekit.engines.gpu.arena import BucketArena
from edgekit.engines.gpu.buffers import Buffer
from edgekit.engines.gpu.device import Device
from edgekit.engines.gpu.replay import Replay
from edgekit.engines.gpu.scatter import ArenaWriter, Fresh
from edgekit.engines.tensorrt.context import Context
from edgekit.engines.tensorrt.opened import EnginePlan

PREFILL, DECODE = 0, 1
"""The plan's profiles."""


class Decoder:
    """``contexts`` are those of the two profiles, by profile; the arena has room for what a call makes."""

    def __init__(self, contexts: Mapping[int, Context], spec: DecoderSpec, arena: BucketArena, device: Device) -> None:
        self._contexts, self._spec, self._arena = contexts, spec, arena
        slots, tokens = arena.shape.slots, arena.shape.fresh_tokens
        self._buffers: list[Buffer] = []
        self._device = device
        self._replay = Replay(device, able=False)
        try:
            self._embeds = self._buffer(tokens * spec.hidden, "float16")
            self._lengths = self._buffer(slots, "int32")
            self._logits_at = self._buffer(1, "int64")
            self._logits = self._buffer(slots * spec.vocab, "float32")
            self._writer = ArenaWriter(device, arena)
            decode = contexts[DECODE]
            # A captured step would keep the lengths of its first run where TensorRT, or a copy, reads them here.
            by_device = self._writer.by_kernel and not decode.reads_here("lengths")
            self._replay = Replay(device, able=by_device and not decode.captures)
            for context in contexts.values():
                self._bind_outputs(context)
        except BaseException:
            self.close()
            raise

    def run(self, profile: int, row: int, starts: Sequence[int], embeds: Array, logits_at: int) -> Logits:
        """Append ``embeds`` ``[rows, length, hidden]`` to the rows from ``row`` on, which hold ``starts`` tokens.

        Logits ``[rows, vocab]`` of the token at ``logits_at`` of each. The arena must have room for them.
        """
        context, (rows, length, _) = self._contexts[profile], embeds.shape
        self._embeds.fill(embeds)
        self._lengths.fill(np.array(starts, np.int32))
        self._logits_at.fill(np.array(logits_at, np.int64))
        context.give("inputs_embeds", self._embeds, embeds.shape)
        context.give("lengths", self._lengths, (rows,))
        context.give("logits_at", self._logits_at, ())
        fresh = Fresh(self._arena.fresh, self._arena.shape.fresh_tensor_bytes, self._lengths.address)
        past = rows, self._spec.kv_heads, self._arena.bucket, self._spec.head_dim
        for layer, addresses in enumerate(self._arena.pointers(row)):
            for part, address in zip(("key", "value"), addresses, strict=True):
                context.bind(f"past.{layer}.{part}", address, past)

        def step() -> None:
            self._embeds.upload(embeds.size)
            self._lengths.upload(rows)
            self._logits_at.upload(1)
            context.run()
            self._writer.write(fresh, row, starts, length)
            self._logits.download(rows * self._spec.vocab)

        if profile == DECODE:
            self._replay.run((rows, self._arena.bucket), step)
        else:
            step()
        return self._logits.read(rows * self._spec.vocab).reshape(rows, self._spec.vocab)

    def _bind_outputs(self, context: Context) -> None:
        context.bind("logits", self._logits.address)
        for tensor in range(2 * self._spec.layers):
            name = f"present.{tensor // 2}.{('key', 'value')[tensor % 2]}"
            context.bind(name, self._arena.fresh + tensor * self._arena.shape.fresh_tensor_bytes)

    def _buffer(self, count: int, dtype: str) -> Buffer:
        self._buffers.append(Buffer(self._device, count, dtype, "what the decoder takes and gives"))
        return self._buffers[-1]

    def close(self) -> None:
        self._replay.forget()
        for buffer in self._buffers:
            buffer.close()
        self._buffers.clear()


def require_decoder(plan: EnginePlan, spec: DecoderSpec, slots: int, context: int, chunk: int, bucket: int) -> None:
    """Raise :class:`~edgekit.errors.EngineError` where a plan is not of such a decoder, or takes less than it will be
    given.

    ``bucket`` is the shortest that the arena is laid out in.
    """
    dtypes = {"inputs_embeds": "float16", "lengths": "int32", "logits_at": "int64", "logits": "float32"}
    for layer in range(spec.layers):
        for part in ("key", "value"):
            dtypes |= dict.fromkeys((f"past.{layer}.{part}", f"present.{layer}.{part}"), "float16")
    plan.require(dtypes, profiles=2)
    for profile, (rows, length) in ((PREFILL, (1, chunk)), (DECODE, (slots, 1))):
        least, most = plan.limits("inputs_embeds", profile)
        if least[:2] != (1, 1) or most[0] < rows or most[1] < length or most[2] != spec.hidden:
            raise plan.unfit(
                f"it takes at most {most[0]} rows of {most[1]} tokens at once, and {rows} of {length} are wanted"
            )
        least, most = plan.limits("past.0.key", profile)
        if (least[1], least[3]) != (spec.kv_heads, spec.head_dim) or least[2] > bucket or most[2] < context:
            built = f"it is for contexts of {least[2]} to {most[2]} tokens"
            raise plan.unfit(f"{built}, and {bucket} to {context} are wanted")
