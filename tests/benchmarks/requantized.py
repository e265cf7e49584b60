"""A language model as EdgeKit quantizes it, run by transformers in fp32: what the weights alone cost.

Codes and scales are those that `edgekit quantize` writes; they are multiplied out, and activations stay fp32.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from edgekit.blocks import BlockModel
from edgekit.checkpoint.checkpoint import Checkpoint, Weight, component
from edgekit.checkpoint.packed import PackedWeight, Tensor, is_packed
from edgekit.export.embedding import EMBEDDING, is_the_head
from edgekit.inputs.prompt import Prompt, TextPiece
from edgekit.pipeline.precision import SENSED
from edgekit.plan.components import weights_on_disk
from edgekit.plan.subject import subject_of
from edgekit.quantize import quantize
from edgekit.quantize.calibrate import best
from edgekit.quantize.calibrated import calibrated
from edgekit.quantize.choose import choose
from edgekit.quantize.samples import Sample
from edgekit.quantize.sensitivity import sensitivity
from edgekit.recipe import Precision, Recipe
from tests.benchmarks.windows import Windows

THREADS = 2
Float32 = npt.NDArray[np.float32]
_PARTS = {
    "norm1": "input_layernorm",
    "norm2": "post_attention_layernorm",
    **{f"attn.{part}": f"self_attn.{part}_proj" for part in "qkvo"},
    **{f"mlp.{part}": f"mlp.{part}_proj" for part in ("gate", "up", "down")},
}
_ENDS = {"decoder.embedding": "model.embed_tokens", "decoder.norm": "model.norm", "decoder.lm_head": "lm_head"}


@dataclass(frozen=True)
class Sizes:
    """Bytes of the language model as stored, and of its layers alone: without embedding and head."""

    total: int
    layers: int


def fp32() -> Recipe:
    return _recipe("fp32", "fp32", "fp32", "fp32")


def int8(method: str = "rtn") -> Recipe:
    name = "int8" if method == "rtn" else f"int8-{method}"
    return _recipe(name, "int8", "int8", "int8", method=method)


def int4(method: str, group: int, head: Precision = "int4") -> Recipe:
    """Layers in 4 bits, the embedding in 8, the head in either; ``method`` as recipes name it.

    With a head in 8 bits, head and embedding of a tied model are one table, as GGUF has them.
    """
    name = f"int4-{method.replace('+', '-')}-g{group}{'-head8' if head == 'int8' else ''}"
    return _recipe(name, "int8", "int4", head, group, method)


def fitted(checkpoint: Checkpoint, group: int, calibration: Windows, limit: int) -> Recipe:
    """As `--fit` chooses: layers in 4 bits, a head in 8, and layers in 8 bits up to ``limit`` bytes."""
    recipe = replace(int4(best(group), group, "int8"), name=f"int4-fit-g{group}")
    prompts = [Prompt((TextPiece(tuple(ids.tolist())),)) for ids in calibration[:SENSED]]
    found = sensitivity(checkpoint, recipe, prompts)
    found = replace(found, losses={name: loss for name, loss in found.losses.items() if name in found.layers})

    def size(other: Recipe) -> int:
        held = weights_on_disk(subject_of(checkpoint, other).tensors, other, 2)
        return sum(held[part] for part in ("embedding", "decoder", "lm_head"))

    return choose(recipe, found, limit, size).recipe


def quantized(checkpoint: Checkpoint, recipe: Recipe, calibration: Windows) -> Checkpoint:
    """The checkpoint by the recipe. ``calibration`` is for methods that look at activations; "rtn" does not.

    What a calibration makes lies beside the checkpoint, and is taken from there the next time.
    """
    if recipe.method == "rtn":
        return quantize(checkpoint, recipe)
    model = BlockModel(checkpoint)
    samples = [Sample(model.embed(ids.tolist()), np.ones(len(ids), np.float32)) for ids in calibration]
    return calibrated(checkpoint, recipe, samples, checkpoint.path.with_name(f"work-{recipe.name}"))[0]


def sizes(checkpoint: Checkpoint) -> Sizes:
    """Bytes of a quantized checkpoint's decoder, as a bundle holds them."""
    total = layers = 0
    for name, weight in checkpoint.tensors.items():
        if name.startswith("decoder."):
            nbytes = _read(weight).nbytes
            if name == EMBEDDING and is_the_head(checkpoint):
                nbytes = 2 * weight.shape[0]  # scales alone
            total += nbytes
            layers += nbytes if component(name) == "decoder" else 0
    return Sizes(total, layers)


def losses(checkpoint: Checkpoint, source: Path, windows: Windows) -> list[float]:
    """Mean negative log likelihood of each window's tokens but the first, in nats.

    ``source`` is the folder of the checkpoint in Hugging Face's form, for its config.
    """
    import torch

    torch.set_num_threads(THREADS)
    decoder = {name: weight for name, weight in checkpoint.tensors.items() if name.startswith("decoder.")}
    model = _language_model(source, {_name(name): whole(weight) for name, weight in decoder.items()})
    found = []
    with torch.inference_mode():
        for window in torch.from_numpy(windows):
            logits = model(window[None]).logits[0, :-1].double()
            found.append(float(torch.nn.functional.cross_entropy(logits, window[1:])))
    return found


def _language_model(source: Path, weights: Mapping[str, Float32]) -> Any:
    import torch
    from transformers import LlamaForCausalLM, LlavaConfig

    text = LlavaConfig.from_pretrained(source).text_config
    text.tie_word_embeddings = False  # EdgeKit keeps embedding and head apart
    text.dtype = torch.float32
    with torch.device("meta"):
        model = LlamaForCausalLM(text).eval()
    model.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()}, assign=True)
    model.model.rotary_emb = type(model.model.rotary_emb)(text)  # its table is a buffer that no checkpoint holds
    return model


def whole(weight: Weight) -> Float32:
    """A weight multiplied out, in fp32."""
    read = _read(weight)
    values: Float32 = read.dequantize() if isinstance(read, PackedWeight) else read.astype(np.float32)
    return np.ascontiguousarray(values)


def _read(weight: Weight) -> Any:
    """All rows of a weight: a :class:`PackedWeight` or an array, which both know their bytes."""
    if is_packed(weight):
        return weight.packed_rows(0, weight.shape[0])
    return cast("Tensor", weight).rows(0, weight.shape[0])


def _name(name: str) -> str:
    stem, _, kind = name.rpartition(".")
    if stem in _ENDS:
        return f"{_ENDS[stem]}.{kind}"
    _, _, index, part = stem.split(".", 3)
    return f"model.layers.{index}.{_PARTS[part]}.{kind}"


def _recipe(
    name: str, embedding: Precision, decoder: Precision, head: Precision, group: Any = 128, method: Any = "rtn"
) -> Recipe:
    """The tower and the projector, which no text passes, stay as they are."""
    return Recipe(
        name=name,
        title=name,
        vision="fp32",
        projector="fp32",
        embedding=embedding,
        decoder=decoder,
        lm_head=head,
        group=group,
        method=method,
    )
