"""Where a model's vision tower lies and how it is shaped: in the checkpoint itself, or in a folder of its own.

Checkpoints of LLaVA's own code only name their tower ("openai/clip-vit-large-patch14-336"). A name that is known
gives the config, which the tensors' shapes have to bear out; of any other tower, the user has to give the folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgekit.checkpoint.architectures import TowerModule, find_tower
from edgekit.checkpoint.checkpoint import Weight
from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.source import Source, printable
from edgekit.checkpoint.stock import published
from edgekit.errors import CheckpointError

_CLIP = "clip_vision_model"
PATCH_WEIGHT = "embeddings.patch_embedding.weight"
# As saved alone: by transformers 4 and CLIPModel, and by transformers 5.
_ALONE = ("vision_model.", "", "vision_tower.vision_model.", "vision_tower.")


@dataclass(frozen=True, kw_only=True)
class StoredTower:
    """A tower's module, its config, and its tensors under ``prefix``; ``notes`` say what config.json does not."""

    module: TowerModule
    config: Fields
    tensors: Mapping[str, Weight]
    prefix: str
    source: Source
    notes: tuple[str, ...] = ()


def find(source: Source, prefixes: Sequence[str], config: Fields, separate: Source | None, name: str) -> StoredTower:
    """Return the tower under one of ``prefixes`` of ``source``, or in the folder ``separate`` when one is given.

    ``config`` is the checkpoint's own description of it, empty when it has none; ``name`` is what the
    checkpoint calls its tower. The checkpoint's own tensors win over any stock tower of that name, but not over
    ``separate``. :class:`CheckpointError` where nothing says how the tower computes.
    """
    prefix = source.prefix(prefixes, PATCH_WEIGHT)
    if separate is not None:
        return _separate(separate, replaces=source if prefix is not None else None)
    if prefix is None:
        raise CheckpointError(
            f"{source.path} does not contain its vision tower ({name or 'unnamed'})",
            f"Fetch {name or 'the tower that it was trained with'} and give its folder: --vision DIR.",
        )
    if config.values:
        return _tower(source, prefix, config)
    return _named(source, prefix, name)


def _separate(folder: Source, replaces: Source | None) -> StoredTower:
    prefix = folder.prefix(_ALONE, PATCH_WEIGHT)
    if prefix is None:
        raise CheckpointError(
            f"{folder.path} does not contain a vision tower", "Give the folder of a CLIP or SigLIP model as --vision."
        )
    # A whole CLIP or SigLIP keeps the tower's config beside the text model's.
    nested = folder.config.table("vision_config")
    kind = folder.config.text("model_type")
    config = Fields({"model_type": kind, **nested.values}, nested.origin) if nested.values else folder.config
    if replaces is None:
        return _tower(folder, prefix, config)
    notes = (f"The vision tower is {folder.path}'s; {replaces.path} holds one of its own, which is not used.",)
    return _tower(folder, prefix, config, notes)


def _tower(source: Source, prefix: str, config: Fields, notes: tuple[str, ...] = ()) -> StoredTower:
    module = find_tower(config.text("model_type"), config.origin)
    return StoredTower(module=module, config=config, tensors=source.tensors, prefix=prefix, source=source, notes=notes)


def _named(source: Source, prefix: str, name: str) -> StoredTower:
    """The tower that ``name`` is known to mean; refused where nothing is known, or the tensors speak against it."""
    shown = f"the tower {printable(name[:100])!r}" if name else "a tower without a name"
    stock = published(name)
    if stock is None:
        raise CheckpointError(
            f"{source.path} has {shown} and no vision_config: nothing says with which activation and how many heads "
            "it computes",
            "Fetch the tower that the model was trained with and give its folder, with its config.json: --vision DIR.",
        )
    full, values = stock
    config = Fields(values, f"the config of {full}")
    for stem, asked in _shapes(config).items():
        tensor = source.tensors.get(prefix + stem)
        if tensor is None or tensor.shape != asked:
            stands = "missing" if tensor is None else f"of shape {list(tensor.shape)}"
            raise CheckpointError(
                f"{source.path} names {shown}, but {prefix + stem} is {stands}: of {full} it is {list(asked)}",
                "Fetch the tower that the model was trained with and give its folder: --vision DIR.",
            )
    notes = (f"The vision tower is taken for {full}, by the name of its folder ({printable(name[:100])}).",)
    return _tower(source, prefix, config, () if name == full else notes)


def _shapes(config: Fields) -> dict[str, tuple[int, ...]]:
    """What tells towers apart: patch ``[hidden, 3, p, p]``, positions ``[tokens, hidden]``, fc1 ``[ff, hidden]``."""
    hidden, patch = config.count("hidden_size"), config.count("patch_size")
    has_cls = config.text("model_type") == _CLIP
    return {
        PATCH_WEIGHT: (hidden, 3, patch, patch),
        "embeddings.position_embedding.weight": ((config.count("image_size") // patch) ** 2 + has_cls, hidden),
        "encoder.layers.0.mlp.fc1.weight": (config.count("intermediate_size"), hidden),
    }
