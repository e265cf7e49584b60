"""What a model takes besides weights and arena: its runtime, scratch while it answers, pictures.

The shapes of activations are known; how an allocator rounds them is not, and comes from the engine's coefficients.
"""

from __future__ import annotations

from collections.abc import Iterator

from edgekit.checkpoint.packed import groups, int8_block
from edgekit.checkpoint.spec import DecoderSpec, ModelSpec, VisionSpec
from edgekit.engines.coefficients import Coefficients
from edgekit.engines.kv import paired
from edgekit.plan.components import Component, width
from edgekit.plan.subject import Kinds
from edgekit.recipe import Recipe
from edgekit.target import Target


def working(spec: ModelSpec, found: Kinds, recipe: Recipe, target: Target, known: Coefficients) -> Iterator[Component]:
    """Everything besides weights and arena, for a target with the slots and context to be planned."""
    wide = width(target.activations)
    beside = packing_bytes(found, recipe, target) + rope_bytes(spec.decoder, target.context, wide)
    yield Component("beside_weights", beside, "device", "static", "arithmetic")
    if known.engine_device.size_bytes:
        yield Component("engine_device", known.engine_device.size_bytes, "device", "static", known.engine_device.basis)
    yield Component("engine_host", known.engine_host.size_bytes, "host", "static", known.engine_host.basis)
    tokenizer = spec.decoder.vocab * known.tokenizer_word.size_bytes
    yield Component("tokenizer", tokenizer, "host", "static", known.tokenizer_word.basis)
    yield Component("process", known.process.size_bytes, "host", "static", known.process.basis)
    written = written_out_bytes(spec.decoder, found, recipe, target)
    for name, size, factor, more in (
        ("vision_activations", vision_bytes(spec.vision, wide, known), known.vision_scratch, 0),
        ("decoder_activations", decoder_bytes(spec.decoder, target, known), known.decoder_scratch, written),
    ):
        # TensorRT-RTX knows no Jetson: that TensorRT writes as much out there is not known.
        basis = "assumed" if more and target.arch != "x86_64" else factor.basis
        yield Component(name, round(factor.ratio * size) + more, "device", "dynamic", basis, target.activations)
    yield Component("image_buffers", image_bytes(spec, target), "host", "dynamic", "arithmetic", target.activations)
    cache = max(known.image_cache.size_bytes, image_embeds_bytes(spec, wide))
    pictures = known.picture.size_bytes + cache
    yield Component("pictures", pictures, "host", "service", known.picture.basis)
    yield Component("libraries", known.libraries.size_bytes, "host", "service", known.libraries.basis)


def vision_bytes(vision: VisionSpec, wide: int, known: Coefficients) -> int:
    """One image in one layer of the tower: residual and normed, and the larger of attention and MLP."""
    tokens = vision.patches + vision.has_cls
    scores = vision.heads * tokens**2 if known.whole_scores else 0
    attention = 4 * tokens * vision.hidden + scores
    return wide * (2 * tokens * vision.hidden + max(attention, 2 * tokens * vision.ff))


def decoder_bytes(decoder: DecoderSpec, target: Target, known: Coefficients) -> int:
    """One layer over a full context: reading a chunk of a prompt, or a step of all rows with its logits."""
    wide, rows = width(target.activations), paired(target.slots)
    chunk = _layer_bytes(decoder, min(known.chunk, target.context), target.context, wide, known)
    step = _layer_bytes(decoder, rows, target.context, wide, known)
    if target.kind.copies_cache:
        step = max(step, 2 * rows * target.context * decoder.kv_heads * decoder.head_dim * wide)
    return max(chunk, step, 2 * 4 * rows * decoder.vocab)


def written_out_bytes(decoder: DecoderSpec, found: Kinds, recipe: Recipe, target: Target) -> int:
    """int8 matrices that TensorRT-RTX writes out in float16 while it reads a prompt: those that see one token alone,
    which are the last layer's, but for its queries, keys and values, and the head (measured to the byte in TinyLlama,
    Mistral, Vicuna and Phi-2 of 2 layers; of 12 and more it writes out less)."""
    if not target.kind.widens_last_layer:
        return 0
    total = 0
    for kind, count in found.items():
        part = "lm_head" if kind.tied else kind.part
        last = part == "lm_head" or (part == "decoder" and kind.layer == decoder.layers - 1)
        if kind.matrix and last and recipe.precision(part, kind.layer) == "int8":
            total += count * kind.shape[0] * kind.shape[1]
    if total and recipe.precision("decoder", decoder.layers - 1) == "int8":
        total -= (decoder.heads + 2 * decoder.kv_heads) * decoder.head_dim * decoder.hidden
    return total * width(target.activations)


def _layer_bytes(decoder: DecoderSpec, tokens: int, context: int, wide: int, known: Coefficients) -> int:
    """``tokens`` at once: residual and normed, and the larger of attention (its scores in float32) and MLP."""
    heads = decoder.heads * decoder.head_dim
    scores = 4 * decoder.heads * tokens * context if known.whole_scores else 0
    attention = wide * tokens * (2 * heads + 2 * decoder.kv_heads * decoder.head_dim) + scores
    mlp = wide * tokens * decoder.ff * (3 if decoder.gated else 2)
    return wide * 2 * tokens * decoder.hidden + max(attention, mlp)


def image_embeds_bytes(spec: ModelSpec, wide: int) -> int:
    """One picture as the decoder reads it."""
    return spec.tokens_per_image * spec.decoder.hidden * wide


def image_bytes(spec: ModelSpec, target: Target) -> int:
    """Pixels (float32) and embeddings of one picture for each slot."""
    return target.slots * (3 * 4 * spec.image.size**2 + image_embeds_bytes(spec, width(target.activations)))


def rope_bytes(decoder: DecoderSpec, context: int, wide: int) -> int:
    """Tables of cosines and sines: ``[context, dim / 2]`` each."""
    return decoder.rope.dim * context * wide


def packing_bytes(found: Kinds, recipe: Recipe, target: Target) -> int:
    """What a runtime makes as it loads packed matrices of the decoder (a CPU multiplies those of vision otherwise).

    Of every block: the scale (int8 has one a row, which is repeated); on a CPU again beside the packed codes, and with
    it the sum of the codes. Rows of int8 are filled up to whole blocks (int4 has them stored so). TensorRT's plans are
    ready to be used.
    """
    repacks = target.kind.repacks
    if repacks == "nothing":
        return 0
    codes = repacks == "codes"
    total = 0
    for kind, count in found.items():
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
