"""Where a model's vision tower lies and how it is shaped: in the checkpoint itself, or in a folder of its own.

Checkpoints of LLaVA's own code only name their tower ("openai/clip-vit-large-patch14-336"), so a tower
without a config is read off its tensors' shapes. Two things do not show there, and come from a table of
the towers that this family uses: the number of heads, and the depth before layers were left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgekit.checkpoint.architectures import Tower, find_tower
from edgekit.checkpoint.checkpoint import Weight
from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.source import Source
from edgekit.errors import CheckpointError

PROBE = "embeddings.patch_embedding.weight"
# As saved alone: by transformers 4 and CLIPModel, and by transformers 5.
_ALONE = ("vision_model.", "", "vision_tower.vision_model.", "vision_tower.")


@dataclass(frozen=True)
class _Known:
    heads: int
    depth: int


_KNOWN = {
    ("clip_vision_model", 768): _Known(heads=12, depth=12),  # CLIP-B
    ("clip_vision_model", 1024): _Known(heads=16, depth=24),  # CLIP-L
    ("siglip_vision_model", 768): _Known(heads=12, depth=12),  # SigLIP-B
    ("siglip_vision_model", 1024): _Known(heads=16, depth=24),  # SigLIP-L
    ("siglip_vision_model", 1152): _Known(heads=16, depth=27),  # SigLIP-so400m
}


@dataclass(frozen=True)
class StoredTower:
    """A tower's module, its config, and its tensors under ``prefix``."""

    module: Tower
    config: Fields
    tensors: Mapping[str, Weight]
    prefix: str
    source: Source


def find(source: Source, prefixes: Sequence[str], config: Fields, separate: Source | None, name: str) -> StoredTower:
    """The tower under one of ``prefixes`` of ``source``, or in the folder ``separate`` when one is given.

    ``config`` is the checkpoint's own description of it, empty when it has none; ``name`` is what the
    checkpoint calls its tower. The checkpoint's own tensors win over any stock tower of that name.
    """
    if separate is not None:
        return _separate(separate)
    prefix = source.prefix(prefixes, PROBE)
    if prefix is None:
        raise CheckpointError(
            f"{source.path} does not contain its vision tower ({name or 'unnamed'})",
            f"Fetch {name or 'the tower that it was trained with'} and give its folder: --vision DIR.",
        )
    return _tower(source, prefix, config)


def _separate(folder: Source) -> StoredTower:
    prefix = folder.prefix(_ALONE, PROBE)
    if prefix is None:
        raise CheckpointError(
            f"{folder.path} does not contain a vision tower", "Give the folder of a CLIP or SigLIP model as --vision."
        )
    # A whole CLIP or SigLIP keeps the tower's config beside the text model's.
    nested = folder.config.table("vision_config")
    whole = folder.config.text("model_type", "") in ("clip", "siglip")
    kind = folder.config.text("model_type", "")
    config = Fields({"model_type": kind, **nested.values}, nested.where) if whole else folder.config
    return _tower(folder, prefix, config)


def _tower(source: Source, prefix: str, config: Fields) -> StoredTower:
    if not config.values:
        config = _derived(source, prefix)
    module = find_tower(config.text("model_type", "clip_vision_model"), config.where)
    return StoredTower(module, config, source.tensors, prefix, source)


def _derived(source: Source, prefix: str) -> Fields:
    """A config from shapes: patch ``[hidden, 3, p, p]``, positions ``[tokens, hidden]``, fc1 ``[ff, hidden]``."""
    where = f"the vision tower of {source.path}"

    def shape(name: str, rank: int) -> tuple[int, ...]:
        tensor = source.tensors.get(prefix + name)
        if tensor is None or len(tensor.shape) != rank or 0 in tensor.shape:
            raise CheckpointError(
                f"{prefix + name!r} of {source.path} is {'missing' if tensor is None else f'of shape {tensor.shape}'}",
                "EdgeKit reads CLIP and SigLIP towers; give one with --vision DIR.",
            )
        return tensor.shape

    hidden, _, patch, _ = shape(PROBE, 4)
    has_cls = prefix + "embeddings.class_embedding" in source.tensors
    kind = "clip_vision_model" if has_cls else "siglip_vision_model"
    side = math.isqrt(shape("embeddings.position_embedding.weight", 2)[0] - has_cls)
    known = _KNOWN.get((kind, hidden))
    if known is None:
        raise CheckpointError(
            f"{where} is {hidden} wide, and nothing says how many heads it has",
            "Fetch the tower that the model was trained with and give its folder: --vision DIR.",
        )
    config: dict[str, Any] = {
        "model_type": kind,
        "hidden_size": hidden,
        "intermediate_size": shape("encoder.layers.0.mlp.fc1.weight", 2)[0],
        "num_hidden_layers": max(known.depth, _stored_layers(source, prefix)),
        "num_attention_heads": known.heads,
        # SigLIP's 384 is no multiple of its patch of 14: 27 patches a side leave six pixels over.
        "image_size": 384 if (kind, side, patch) == ("siglip_vision_model", 27, 14) else side * patch,
        "patch_size": patch,
    }
    return Fields(config, where)


def _stored_layers(source: Source, prefix: str) -> int:
    count = 0
    while f"{prefix}encoder.layers.{count}.layer_norm1.weight" in source.tensors:
        count += 1
    return count
