"""What a model takes besides weights and arena: its runtime, scratch while it answers, pictures.

The shapes of activations are known; how an allocator rounds them is not, and comes from the engine's coefficients.
"""

from __future__ import annotations

from collections.abc import Iterator

from edgekit.checkpoint.packed import groups, int8_block
from edgekit.checkpoint.spec import DecoderSpec, ModelSpec, VisionSpec
from edgekit.engines.coefficients import Bytes, Coefficients
from edgekit.engines.kv import rows_for
from edgekit.plan.components import Component, SideName, When, width
from edgekit.plan.subject import TensorCounts
from edgekit.recipe import Recipe
from edgekit.target import Target


def working(
    spec: ModelSpec, tensors: TensorCounts, recipe: Recipe, target: Target, table: Coefficients
) -> Iterator[Component]:
    """Yield everything besides weights and arena, for a target with the slots and context to be planned."""
    wide, form = width(target.activations), target.activations
    beside = packing_bytes(tensors, recipe, target) + rope_bytes(spec.decoder, target.context, wide)
    yield Component(name="beside_weights", bytes=beside, side="device", when="static", basis="arithmetic")
    if table.engine_device.size_bytes:
        yield _by_table("engine_device", table.engine_device, "device")
    yield _by_table("engine_host", table.engine_host, "host")
    yield _by_table("tokenizer", table.tokenizer_word, "host", times=spec.decoder.vocab)
    yield _by_table("process", table.process, "host")
    written = written_out_bytes(spec.decoder, tensors, recipe, target)
    for name, size, factor, more in (
        ("vision_activations", vision_bytes(spec.vision, wide, table), table.vision_scratch, 0),
        ("decoder_activations", decoder_bytes(spec.decoder, target, table), table.decoder_scratch, written),
    ):
        basis = "assumed" if more and target.arch not in target.kind.widening_seen_on else factor.basis
        scratch = round(factor.ratio * size) + more
        yield Component(name=name, bytes=scratch, side="device", when="dynamic", basis=basis, form=form)
    buffers = image_bytes(spec, target)
    yield Component(name="image_buffers", bytes=buffers, side="host", when="dynamic", basis="arithmetic", form=form)
    remembered = max(table.image_cache.size_bytes, image_embeds_bytes(spec, wide))
    yield _by_table("pictures", table.picture, "host", "service", more=remembered)
    yield _by_table("libraries", table.libraries, "host", "service")


def _by_table(
    name: str, number: Bytes, side: SideName, when: When = "static", times: int = 1, more: int = 0
) -> Component:
    size = number.size_bytes * times + more
    return Component(name=name, bytes=size, side=side, when=when, basis=number.basis)


def vision_bytes(vision: VisionSpec, wide: int, table: Coefficients) -> int:
    """Count one image in one layer of the tower: residual and normed, and the larger of attention and MLP."""
    tokens = vision.patches + vision.has_cls
    scores = vision.heads * tokens**2 if table.whole_scores else 0
    attention = 4 * tokens * vision.hidden + scores
    return wide * (2 * tokens * vision.hidden + max(attention, 2 * tokens * vision.ff))


def decoder_bytes(decoder: DecoderSpec, target: Target, table: Coefficients) -> int:
    """Count one layer over a full context: reading a chunk of a prompt, or a step of all rows with its logits."""
    wide, rows = width(target.activations), rows_for(target.kind, target.slots)
    chunk = _layer_bytes(decoder, min(target.kind.chunk, target.context), target.context, wide, table)
    step = _layer_bytes(decoder, rows, target.context, wide, table)
    if target.kind.copies_cache:
        step = max(step, 2 * rows * target.context * decoder.kv_heads * decoder.head_dim * wide)
    return max(chunk, step, 2 * 4 * rows * decoder.vocab)


def written_out_bytes(decoder: DecoderSpec, tensors: TensorCounts, recipe: Recipe, target: Target) -> int:
    """Count the int8 matrices that an engine writes out in float16 while it reads a prompt: those that see one token
    alone, which are the last layer's, but for its queries, keys and values, and the head (TensorRT-RTX; measured to the
    byte in TinyLlama, Mistral, Vicuna and Phi-2 of 2 layers; of 12 and more it writes out less)."""
    if not target.kind.widens_last_layer:
        return 0
    total = 0
    for kind, count in tensors.items():
        part = "lm_head" if kind.tied else kind.part
        last = part == "lm_head" or (part == "decoder" and kind.layer == decoder.layers - 1)
        if kind.matrix and last and recipe.precision(part, kind.layer) == "int8":
            total += count * kind.shape[0] * kind.shape[1]
    if total and recipe.precision("decoder", decoder.layers - 1) == "int8":
        total -= (decoder.heads + 2 * decoder.kv_heads) * decoder.head_dim * decoder.hidden
    return total * width(target.activations)


def _layer_bytes(decoder: DecoderSpec, tokens: int, context: int, wide: int, table: Coefficients) -> int:
    """``tokens`` at once: residual and normed, and the larger of attention (its scores in float32) and MLP."""
    heads = decoder.heads * decoder.head_dim
    scores = 4 * decoder.heads * tokens * context if table.whole_scores else 0
    attention = wide * tokens * (2 * heads + 2 * decoder.kv_heads * decoder.head_dim) + scores
    mlp = wide * tokens * decoder.ff * (3 if decoder.gated else 2)
    return wide * 2 * tokens * decoder.hidden + max(attention, mlp)


def image_embeds_bytes(spec: ModelSpec, wide: int) -> int:
    """Count one picture as the decoder reads it."""
    return spec.tokens_per_image * spec.decoder.hidden * wide


def image_bytes(spec: ModelSpec, target: Target) -> int:
    """Count pixels (float32) and embeddings of one picture for each slot."""
    return target.slots * (3 * 4 * spec.image.size**2 + image_embeds_bytes(spec, width(target.activations)))


def rope_bytes(decoder: DecoderSpec, context: int, wide: int) -> int:
    """Count tables of cosines and sines: ``[context, dim / 2]`` each."""
    return decoder.rope.dim * context * wide


def packing_bytes(tensors: TensorCounts, recipe: Recipe, target: Target) -> int:
    """Count what a runtime makes as it loads packed matrices of the decoder (a CPU multiplies those of vision
    otherwise).

    Of every block: the scale (int8 has one a row, which is repeated); on a CPU again beside the packed codes, and with
    it the sum of the codes. Rows of int8 are filled up to whole blocks (int4 has them stored so). TensorRT's plans are
    ready to be used.
    """
    repacks = target.kind.repacks
    if repacks == "nothing":
        return 0
    codes = repacks == "codes"
    total = 0
    for kind, count in tensors.items():
        if not kind.matrix or kind.part == "embedding" or (codes and kind.part in ("vision", "projector")):
            continue
        rows, columns = kind.shape
        packed, wide = 2 * 4 if codes else 0, width(target.activations)
        if recipe.precision(kind.part, kind.layer) == "int8":
            block = int8_block(columns, wide)
            blocks = groups(columns, block)
            total += count * rows * (blocks * (wide + packed) + blocks * block - columns)
        elif recipe.precision(kind.part, kind.layer) == "int4":
            total += count * rows * groups(columns, recipe.group) * packed
    return total
