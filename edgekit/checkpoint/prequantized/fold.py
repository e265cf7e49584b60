"""From a checkpoint with packed Linears to one that has a tensor ``X.weight`` for each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from edgekit.checkpoint.checkpoint import Weight
from edgekit.checkpoint.prequantized.columns import ColumnPacked
from edgekit.checkpoint.prequantized.described import find_in_config, find_quantization, method_of
from edgekit.checkpoint.prequantized.foreign import refuse_foreign
from edgekit.checkpoint.prequantized.linears import AGAIN, LEAVES, Stem, packed_linear
from edgekit.checkpoint.prequantized.matrix import KeptMatrix, PackedLinear, UnpackedMatrix
from edgekit.checkpoint.prequantized.refused import ORIGINAL
from edgekit.checkpoint.prequantized.scheme import Scheme, read_scheme
from edgekit.checkpoint.safetensors import StoredTensor
from edgekit.checkpoint.source import Source
from edgekit.errors import CheckpointError

_PACKED = (".qweight", ".weight_packed")
_GO_ON = (
    "EdgeKit's int4 is symmetric, its scales positive and of float16. Give --requantize to `edgekit build` or `edgekit "
    "quantize` (in Python, requantize=True) to have such matrices unpacked and quantized anew by the recipe, which "
    "loses a little more; or give it the original checkpoint."
)


def fold(source: Source, requantize: bool) -> tuple[Source, tuple[str, ...]]:
    """Return ``source`` with one weight in place of each packed Linear, and what its user should know.

    Matrices that fit EdgeKit's int4 are kept as they are (a ``PackedTensor``). Others are plain tensors of what they
    stand for, where ``requantize`` says so, and a note tells; otherwise a :class:`CheckpointError` names the first.
    Zero points, scales and ``g_idx`` are read, codes are not. :class:`CheckpointError` on what isn't read or
    doesn't fit together.
    """
    refuse_foreign(source)
    packed = next((name for name in source.tensors if name.endswith(_PACKED)), None)
    if packed is None:
        return source, _leftover(source)
    config = find_quantization(source)
    if not config.values:
        raise CheckpointError(
            f"{packed} in {source.path} is packed{_by_its_name(packed)}, but {source.config.origin} has no "
            "quantization_config",
            "Copy it into config.json from the published one: it says how the weights are packed.",
        )
    scheme = read_scheme(config)
    tensors, linears = _sorted(source, scheme)
    misfits = {name: why for name, linear in linears.items() if (why := linear.misfit())}
    if misfits and not requantize:
        raise CheckpointError(f"In {source.path}, {_described(misfits, len(linears))}", _GO_ON)
    for name, linear in linears.items():
        if name in misfits:
            _check_zeros(name, linear, scheme, source)
        linear.release()
        tensors[name] = UnpackedMatrix(linear, misfits[name]) if name in misfits else KeptMatrix(linear)
    notes = _cache_note(config.values.get("kv_cache_scheme"))
    if misfits:
        notes = (
            f"{_described(misfits, len(linears))}: they are unpacked, and quantized anew by the recipe (--requantize).",
            *notes,
        )
    return replace(source, tensors=tensors), notes


def _sorted(source: Source, scheme: Scheme) -> tuple[dict[str, Weight], dict[str, PackedLinear]]:
    """Plain tensors by their names, and packed Linears by the names of the weights that they stand for."""
    stored = cast("Mapping[str, StoredTensor]", source.tensors)
    leaves = LEAVES[scheme.method]
    tensors: dict[str, Weight] = {}
    linears: dict[str, PackedLinear] = {}
    for name, tensor in stored.items():
        stem, _, leaf = name.rpartition(".")
        if leaf not in leaves:
            tensors[name] = tensor
        elif leaf == leaves[0]:
            linears[f"{stem}.weight"] = packed_linear(Stem(stem, stored, scheme, source))
        elif f"{stem}.{leaves[0]}" not in stored:
            raise CheckpointError(
                f"{source.path} has {name} without a {stem}.{leaves[0]}: EdgeKit knows no layer of that kind", ORIGINAL
            )
    if twice := linears.keys() & tensors.keys():
        raise CheckpointError(f"{min(twice)} in {source.path} is stored both packed and plain", AGAIN)
    if stray := next((name for name in tensors if name.endswith(_PACKED)), None):
        raise CheckpointError(
            f"{stray} in {source.path} is not packed as config.json says ({scheme.method})",
            f"Compare config.json with the published one. {ORIGINAL}",
        )
    return tensors, linears


def _described(misfits: Mapping[str, str], count: int) -> str:
    name, why = next(iter(misfits.items()))
    kind = "don't fit EdgeKit's int4" if why.startswith("scales") else "are not symmetric"
    return f"{len(misfits)} of {count} int4 matrices {kind} (the first, {name}, has {why})"


def _check_zeros(name: str, linear: PackedLinear, scheme: Scheme, source: Source) -> None:
    """GPTQ's first format stores a zero point of 0 as what tools write, and read back, in ways of their own."""
    if isinstance(linear, ColumnPacked) and not scheme.carries and linear.holds_doubtful_zero():
        raise CheckpointError(
            f"{name.removesuffix('weight')}qzeros in {source.path} holds 15 for a zero point less one, which tools "
            "read differently: GPTQModel carries into the next one, AutoGPTQ does not",
            "Where GPTQModel wrote it, say so: quantization_config.meta.quantizer is then "
            f'"gptqmodel:VERSION". Or save it as gptq_v2. {ORIGINAL}',
        )


def _by_its_name(packed: str) -> str:
    return " by compressed-tensors" if packed.endswith("weight_packed") else " by GPTQ or AWQ"


def _leftover(source: Source) -> tuple[str, ...]:
    """A note where the config speaks of packed weights, and they have been unpacked since."""
    method = method_of(find_in_config(source))
    if not method:
        return ()
    return (f"config.json says that the weights were quantized ({method[:40]}), but they are plain: read as they are.",)


def _cache_note(scheme: object) -> tuple[str, ...]:
    if not scheme:
        return ()
    return ("Its scales for a quantized KV cache (kv_cache_scheme) are not used: the recipe decides about the cache.",)
