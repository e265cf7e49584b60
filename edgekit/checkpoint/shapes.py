"""Every tensor that a model description asks for, by EdgeKit's name, with its shape.

The list is what a checkpoint is held against when it is opened: a missing tensor and a shape that does
not match the config are found before anything is built.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from edgekit.checkpoint.spec import DecoderSpec, ModelSpec, ProjectorSpec, VisionSpec

Shape = tuple[int, ...]


def tensor_shapes(spec: ModelSpec) -> dict[str, Shape]:
    """Return the shape of every tensor by its name; a tied head is listed: it can be read under its own name too."""
    return dict([*vision_shapes(spec.vision), *projector_shapes(spec.projector), *decoder_shapes(spec.decoder)])


def vision_shapes(vision: VisionSpec) -> Iterator[tuple[str, Shape]]:
    wide, deep = vision.hidden, vision.ff
    yield "vision.patch.weight", (wide, 3, vision.patch, vision.patch)
    if vision.has_cls:
        yield "vision.cls", (wide,)
        yield from _norm("vision.pre_norm", wide)
    else:
        yield "vision.patch.bias", (wide,)
    yield "vision.position.weight", (vision.patches + vision.has_cls, wide)
    for i in range(vision.layers):
        layer = f"vision.layers.{i}"
        yield from _norm(f"{layer}.norm1", wide)
        yield from _norm(f"{layer}.norm2", wide)
        for name in "qkvo":
            yield from _linear(f"{layer}.attn.{name}", wide, wide, True)
        yield from _linear(f"{layer}.mlp.up", deep, wide, True)
        yield from _linear(f"{layer}.mlp.down", wide, deep, True)
    if vision.post_norm:
        yield from _norm("vision.post_norm", wide)


def projector_shapes(projector: ProjectorSpec) -> Iterator[tuple[str, Shape]]:
    for i, (narrow, wide) in enumerate(zip(projector.widths[:-1], projector.widths[1:], strict=True)):
        yield from _linear(f"projector.{i}", wide, narrow, projector.bias)


def decoder_shapes(decoder: DecoderSpec) -> Iterator[tuple[str, Shape]]:
    wide, deep = decoder.hidden, decoder.ff
    queries, keys = decoder.heads * decoder.head_dim, decoder.kv_heads * decoder.head_dim
    bias = decoder.norm == "layer"
    yield "decoder.embedding.weight", (decoder.vocab, wide)
    for i in range(decoder.layers):
        layer = f"decoder.layers.{i}"
        yield from _norm(f"{layer}.norm1", wide, bias)
        if not decoder.parallel:
            yield from _norm(f"{layer}.norm2", wide, bias)
        yield from _linear(f"{layer}.attn.q", queries, wide, decoder.qkv_bias)
        yield from _linear(f"{layer}.attn.k", keys, wide, decoder.qkv_bias)
        yield from _linear(f"{layer}.attn.v", keys, wide, decoder.qkv_bias)
        yield from _linear(f"{layer}.attn.o", wide, queries, decoder.out_bias)
        for name in ("gate", "up") if decoder.gated else ("up",):
            yield from _linear(f"{layer}.mlp.{name}", deep, wide, decoder.mlp_bias)
        yield from _linear(f"{layer}.mlp.down", wide, deep, decoder.mlp_bias)
    yield from _norm("decoder.norm", wide, bias)
    yield from _linear("decoder.lm_head", decoder.vocab, wide, decoder.head_bias)


def cache_scales(decoder: DecoderSpec) -> dict[str, Shape]:
    """Return the scales of an int8 KV cache, one for each channel of a layer's keys and values: float32, above zero.

    Only a quantized checkpoint may have them, all of them.
    """
    shape = (decoder.kv_heads * decoder.head_dim,)
    return {f"decoder.layers.{i}.attn.{part}_scale": shape for i in range(decoder.layers) for part in "kv"}


def input_ranges(spec: ModelSpec) -> dict[str, Shape]:
    """Return static ranges of what the Linears of tower and projector read: the largest absolute value, float32, > 0.

    Only a quantized checkpoint may have them, all of them.
    """
    linears = [name for name, shape in vision_shapes(spec.vision) if ".layers." in name and len(shape) == 2]
    linears += [name for name, shape in projector_shapes(spec.projector) if len(shape) == 2]
    return {range_of(name): (1,) for name in linears}


def range_of(weight: str) -> str:
    """Return the name of the range of what a Linear reads, by its weight's."""
    return f"{weight.removesuffix('weight')}input_range"


def has_input_ranges(names: Container[str]) -> bool:
    """Tell whether these tensors hold static ranges of a tower."""
    return "projector.0.input_range" in names


def has_cache_scales(names: Container[str]) -> bool:
    """Tell whether these tensors hold the scales of an int8 KV cache."""
    return "decoder.layers.0.attn.k_scale" in names


def _norm(name: str, width: int, bias: bool = True) -> Iterator[tuple[str, Shape]]:
    yield f"{name}.weight", (width,)
    if bias:
        yield f"{name}.bias", (width,)


def _linear(name: str, out: int, into: int, bias: bool) -> Iterator[tuple[str, Shape]]:
    yield f"{name}.weight", (out, into)
    if bias:
        yield f"{name}.bias", (out,)
