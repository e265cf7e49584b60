"""One block of a decoder, quantized by what its Linears read: scales folded, codes found, errors counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from edgekit.blocks import Block, Floats
from edgekit.checkpoint.packed import Array, Bits, PackedWeight
from edgekit.checkpoint.spec import DecoderSpec
from edgekit.quantize import awq
from edgekit.quantize.awq import Inputs, Places
from edgekit.quantize.gptq import gptq, inverse_factor
from edgekit.quantize.grid import codes, nibbles, scales_of, whole_scales

_STRIP = 2048
_LITTLE = 1 / 3


class Moments:
    """Gathers :class:`~edgekit.quantize.awq.Inputs` of one thing that Linears read, ``k`` wide."""

    def __init__(self, k: int) -> None:
        self._second, self._sum, self._weight = np.zeros((k, k), np.float32), np.zeros(k, np.float64), 0.0

    def add(self, x: Floats, weights: Floats) -> None:
        """Add ``x`` ``[length, k]``, each row counting as much as its weight."""
        weighed = x * np.sqrt(weights)[:, None]
        for start in range(0, len(self._second), _STRIP):  # up to the diagonal: the rest is its mirror image
            stop = start + _STRIP
            self._second[start:stop, :stop] += weighed[:, start:stop].T @ weighed[:, :stop]
        self._sum += np.abs(x).T @ weights
        self._weight += float(weights.sum())

    @property
    def inputs(self) -> Inputs:
        """What was gathered, in the memory that it was gathered in."""
        for start in range(0, len(self._second), _STRIP):
            stop = start + _STRIP
            self._second[start:stop, stop:] = self._second[stop:, start:stop].T
        return Inputs(self._second, (self._sum / max(self._weight, 1e-9)).astype(np.float32))


def gather(block: Block, rows: Iterable[tuple[Floats, Floats]]) -> dict[str, Moments]:
    """Gather what the block's Linears read, by the names in ``block.reads``, over ``rows`` (``[length, hidden]``,
    weights)."""
    moments: dict[str, Moments] = {}
    for x, weights in rows:
        kept, counted = _thinned(weights)
        for name, tap in block.with_taps(x[None])[1].items():
            moments.setdefault(name, Moments(tap.shape[-1])).add(tap[0, kept], counted)
    return moments


def _thinned(weights: Floats) -> tuple[Places, Floats]:
    """Of rows that count little (a picture's, hundreds and much alike) every second, third, … in place of them all,
    each for as many, so that none counts less than a third of a word unless all do."""
    little = np.flatnonzero(weights < _LITTLE / 2)
    if not len(little):
        return np.arange(len(weights)), weights
    step = int(_LITTLE / max(float(weights[little].max()), 1e-3) + 0.01)
    dropped = np.setdiff1d(little, little[::step])
    kept: Places = np.setdiff1d(np.arange(len(weights)), dropped)
    counted = np.where(weights < _LITTLE / 2, weights * step, weights)[kept].astype(np.float32)
    return kept, counted


@dataclass(frozen=True)
class Fold:
    """Linears ``readers`` read what ``makers`` make: a norm's vectors, or a Linear's rows (``source`` as in awq)."""

    makers: tuple[str, ...]
    readers: tuple[str, ...]
    is_norm: bool
    source: Places | None = None


def folds(name: str, block: Block) -> Iterator[Fold]:
    """List where scales can move in a decoder's layer (or the head) without changing what it computes."""

    def there(*suffixes: str) -> tuple[str, ...]:
        return tuple(full for suffix in suffixes if (full := f"{name}.{suffix}") in block.weights)

    if block.kind == "head":
        yield Fold(there("norm.weight", "norm.bias"), there("lm_head.weight"), True)
        return
    first = there("attn.q.weight", "attn.k.weight", "attn.v.weight")
    mlp = there("mlp.gate.weight", "mlp.up.weight")
    yield Fold(there("norm1.weight", "norm1.bias"), first + (mlp if block.decoder.parallel else ()), True)
    yield Fold(there("attn.v.weight", "attn.v.bias"), there("attn.o.weight"), False, _queries(block.decoder))
    if not block.decoder.parallel:
        yield Fold(there("norm2.weight", "norm2.bias"), mlp, True)
    if block.decoder.gated:  # else an activation stands between them, which is not linear
        yield Fold(there("mlp.up.weight", "mlp.up.bias"), there("mlp.down.weight"), False)


def _queries(decoder: DecoderSpec) -> Places:
    """Of each of the values that ``attn.o`` reads, the row of ``attn.v`` that makes it."""
    heads = np.arange(decoder.heads) // (decoder.heads // decoder.kv_heads)
    places: Places = (heads[:, None] * decoder.head_dim + np.arange(decoder.head_dim)).reshape(-1)
    return places


def fold(
    weights: dict[str, Floats], inputs: dict[str, Inputs], reads: Mapping[str, str], place: Fold, group: int
) -> Floats:
    """Find scales for one place and move them: ``weights`` and ``inputs`` are as if the makers had always been so.
    Return the makers' scales, by which they were divided.

    A norm is rounded to float16, in which it is stored, and its readers get what it then really is divided by.
    """
    read = reads[place.readers[0]]
    divisors = awq.search([weights[name] for name in place.readers], inputs[read], group, place.source)
    if place.is_norm:
        gain = weights[place.makers[0]]
        stored = (gain / divisors).astype(np.float16).astype(np.float32)
        divisors = np.where((stored == 0) | ~np.isfinite(stored), 1, gain / np.where(stored == 0, 1, stored))
        divisors = divisors.astype(np.float32)
    scales = divisors if place.source is None else divisors[place.source]
    for name in place.makers:
        weights[name] = weights[name] / (divisors[:, None] if weights[name].ndim == 2 else divisors)
    for name in place.readers:
        weights[name] = weights[name] * scales
    inputs[read] = inputs[read].scaled(scales)
    return divisors


@dataclass(frozen=True)
class Quantized:
    """A block: ``plain`` tensors with scales moved, ``packed`` matrices, and of each of those the relative error of its
    outputs over what was seen, ||X (W - Ŵ)ᵀ|| / ||X Wᵀ||."""

    plain: dict[str, Floats]
    packed: dict[str, PackedWeight]
    errors: dict[str, float]


def quantized_block(
    block: Block, moments: Mapping[str, Moments], wanted: Mapping[str, Bits], method: str, group: int
) -> Quantized:
    """Pack the matrices ``wanted`` by "awq", "gptq" or "awq+gptq"; ``moments`` are used up.

    Scales move for int4 alone: a row of int8 has one scale, and errors a sixteenth as large.
    """
    weights = dict(block.weights)
    inputs = {tap: gathered.inputs for tap, gathered in moments.items()}
    whole = {
        name: awq.loss(weights[name], np.zeros_like(weights[name][:1]), inputs[read])
        for name, read in block.reads.items()
        if name in wanted
    }
    if "gptq" in method:
        inputs = {tap: Inputs(inverse_factor(seen.matrix), seen.mean_abs, True) for tap, seen in inputs.items()}
    divided: dict[str, Floats] = {}
    if "awq" in method:
        for place in folds(block.name, block):
            if all(wanted.get(name) == 4 for name in place.readers):
                divisors = fold(weights, inputs, block.reads, place, group)
                divided |= dict.fromkeys(place.makers, divisors)
    packed, errors = {}, {}
    for read in dict.fromkeys(block.reads.values()):
        seen = inputs.pop(read)  # a 7B model's take a quarter of what a block does
        for name in (name for name in whole if block.reads[name] == read):
            packed[name], lost = _pack(weights.pop(name), seen, divided.get(name), wanted[name], group)
            errors[name] = float(np.sqrt(max(0.0, lost) / max(whole[name], 1e-30)))
    return Quantized(weights, packed, errors)


def _pack(
    weights: Floats, inputs: Inputs, divided: Floats | None, bits: Bits, group: int
) -> tuple[PackedWeight, float]:
    """A matrix by GPTQ where ``inputs`` are inverse, else to the nearest with scales by what was seen; and its loss, as
    if its rows had not been ``divided``."""
    group = weights.shape[1] if bits == 8 else group
    if inputs.inverse:
        signed, scales, by_row = gptq(weights, inputs.matrix, group, bits)
        lost = float((by_row if divided is None else by_row * np.square(divided)).sum(dtype=np.float64))
    else:
        scales = scales_of(weights, group, inputs.matrix) if bits == 4 else whole_scales(weights, 8)[:, None]
        spread = np.repeat(scales, group, axis=1)[:, : weights.shape[1]]
        signed = codes(weights, spread, bits)
        lost = awq.loss(weights, signed * spread, inputs, divided)
    stored: Array = nibbles(signed, group) if bits == 4 else signed.astype(np.int8)
    return PackedWeight(bits, group, weights.shape[1], stored, scales.astype(np.float16)), lost
