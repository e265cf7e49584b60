"""A checkpoint, opened: what it holds (its :class:`ModelSpec`) and its tensors under EdgeKit's own names.

The names are the same for every family; matrices are ``[out, in]`` as in PyTorch::

    vision.patch.weight [hidden, 3, patch, patch]   vision.patch.bias (SigLIP)   vision.cls [hidden] (CLIP)
    vision.position.weight [tokens, hidden]         vision.pre_norm.{weight,bias} (CLIP)
    vision.layers.I.{norm1,norm2}.{weight,bias}     vision.layers.I.attn.{q,k,v,o}.{weight,bias}
    vision.layers.I.mlp.{up,down}.{weight,bias}     vision.post_norm.{weight,bias} (when spec says so)
    projector.I.{weight,bias}
    decoder.embedding.weight [vocab, hidden]        decoder.norm.{weight[,bias]}
    decoder.layers.I.{norm1,norm2}.{weight[,bias]}  (norm2 is missing where attention and MLP are parallel)
    decoder.layers.I.attn.{q,k,v,o}.{weight[,bias]} decoder.layers.I.mlp.{gate,up,down}.{weight[,bias]}
    decoder.lm_head.{weight[,bias]}                 (a tied head is the embedding under a second name)
    decoder.layers.I.attn.{k_scale,v_scale}         (quantized, with an int8 KV cache: float32 [kv_heads head_dim])
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edgekit.checkpoint.packed import PackedTensor, Tensor
from edgekit.checkpoint.spec import ModelSpec

Weight = Tensor | PackedTensor


@dataclass(frozen=True)
class Checkpoint:
    """A model description, its tensors by name (read lazily), and where its tokenizer lies.

    ``bytes`` is the size of the weight files; ``tokenizer_json`` the text of a ``tokenizer.json``.
    """

    path: Path
    spec: ModelSpec
    tensors: Mapping[str, Weight]
    tokenizer_json: str
    bytes: int


def component(name: str) -> str:
    """Return the part of a recipe that a tensor belongs to: vision, projector, embedding, lm_head or decoder."""
    part, _, rest = name.partition(".")
    if part == "decoder":
        return rest.split(".")[0] if rest.startswith(("embedding.", "lm_head.")) else "decoder"
    return part


def layer_of(name: str) -> int | None:
    """Return which layer of its part a tensor belongs to, counted from 0; None where it is of no layer."""
    _, layers, rest = name.partition(".layers.")
    return int(rest.split(".")[0]) if layers else None


def is_matrix(name: str) -> bool:
    """Tell whether a tensor is a matrix that a recipe may quantize (a Linear's weight, or the embedding)."""
    return name.endswith(".weight") and (
        ".attn." in name or ".mlp." in name or name.startswith(("projector.", "decoder.embedding.", "decoder.lm_head."))
    )
