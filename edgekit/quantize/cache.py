"""Scales for an int8 KV cache, from the keys and values that prompts leave in a model's cache.

One for each channel of each layer, fixed once and for all. What a prompt shows of a channel's range is a lower bound:
there is a margin on top, and rotary embedding turns a pair of a key's channels into one another from place to place,
so that both get the range of the pair's length. A value that is beyond it all the same is kept as the nearest code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from edgekit.blocks import BlockModel, Floats
from edgekit.checkpoint.checkpoint import Checkpoint, Weight
from edgekit.checkpoint.spec import DecoderSpec
from edgekit.inputs.prompt import Prompt
from edgekit.progress import Progress, silent
from edgekit.quantize.samples import samples

MARGIN = 1.5
"""Half more than was seen fits. Values that are cut off cost more than a coarser step: of 1, 1.25, 1.5 and 2 this was
the best of both models that were measured (docs/figures.md)."""
_FLOOR = 1 / 64  # of a layer's largest range: a channel that the prompts left silent may speak later
_CODES = 127


@dataclass(frozen=True)
class Held:
    """A plain float32 tensor in memory; satisfies :class:`~edgekit.checkpoint.packed.Tensor`."""

    values: Floats
    dtype = np.dtype(np.float32)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    def rows(self, start: int, stop: int) -> Floats:
        return self.values[start:stop]

    def release(self, start: int, stop: int) -> None:
        pass


def with_cache_scales(checkpoint: Checkpoint, prompts: Sequence[Prompt], progress: Progress = silent) -> Checkpoint:
    """Give the (quantized) checkpoint scales for its cache, by prompts that have their answers.

    It is read once, a layer at a time; the prompts' rows are held. :class:`~edgekit.errors.EdgeKitError` where a weight
    is no number or a picture can't be read.
    """
    model, decoder = BlockModel(checkpoint), checkpoint.spec.decoder
    rows = [sample.rows[None] for sample in samples(model, prompts, progress)]
    stored: dict[str, Weight] = {}
    progress("cache", 0, decoder.layers)
    for index in range(decoder.layers):
        block = model.layer(index)
        keys = values = np.zeros(decoder.kv_heads * decoder.head_dim, np.float32)
        for at, x in enumerate(rows):
            rows[at], its_keys, its_values = block.with_cache(x)
            keys = np.maximum(keys, _largest(lengths_of_pairs(its_keys, decoder)))
            values = np.maximum(values, _largest(its_values))
        name = f"decoder.layers.{index}.attn"
        stored |= {f"{name}.k_scale": Held(scales(keys)), f"{name}.v_scale": Held(scales(values))}
        progress("cache", index + 1, decoder.layers)
    return replace(checkpoint, tensors={**checkpoint.tensors, **stored})


def scales(ranges: Floats) -> Floats:
    """Turn the largest absolute value that each channel of a layer had into its scale, above zero."""
    largest = float(ranges.max()) or 1.0
    steps: Floats = (np.maximum(ranges, _FLOOR * largest) * (MARGIN / _CODES)).astype(np.float32)
    return steps


def lengths_of_pairs(keys: Floats, decoder: DecoderSpec) -> Floats:
    """Put in both of each pair of channels that is turned its length, in keys ``[…, head_dim]`` behind rotary
    embedding."""
    turned, half = decoder.rope.dim, decoder.rope.dim // 2
    lengths = np.hypot(keys[..., :half], keys[..., half:turned])
    return np.concatenate([lengths, lengths, np.abs(keys[..., turned:])], axis=-1)


def _largest(values: Floats) -> Floats:
    """Of ``[rows, kv_heads, length, head_dim]`` the largest absolute value of each channel, ``[kv_heads head_dim]``."""
    largest: Floats = np.abs(values).max(axis=(0, 2)).reshape(-1)
    return largest
