"""What transformers' architectures look like: one small file each, found by its ``model_type``.

A tower's module has ``KINDS`` (the config's ``model_type``), ``NAMES`` (EdgeKit's tensor stem → theirs)
and ``read(config, select, drop_cls) -> VisionSpec``; a decoder's has ``KINDS``, ``NAMES`` and
``read(config) -> DecoderSpec`` and ``notes(config)``. A key that config.json leaves out has transformers' default
there: transformers itself leaves such keys out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

from edgekit.checkpoint.architectures import clip, llama, phi, siglip
from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.spec import DecoderSpec, VisionSpec
from edgekit.errors import CheckpointError


class TowerModule(Protocol):
    """A module that reads a vision tower's config."""

    @property
    def KINDS(self) -> tuple[str, ...]: ...
    @property
    def NAMES(self) -> Mapping[str, str]: ...

    def read(self, config: Fields, select: int, drop_cls: bool) -> VisionSpec: ...


class DecoderModule(Protocol):
    """A module that reads a language model's config."""

    @property
    def KINDS(self) -> tuple[str, ...]: ...
    @property
    def NAMES(self) -> Mapping[str, str]: ...

    def read(self, config: Fields) -> DecoderSpec: ...
    def notes(self, config: Fields) -> tuple[str, ...]:
        """Say where the description differs from what config.json says, and why; for people."""
        ...


M = TypeVar("M", TowerModule, DecoderModule)

TOWERS: tuple[TowerModule, ...] = (clip, siglip)
DECODERS: tuple[DecoderModule, ...] = (llama, phi)


def find_tower(model_type: str, origin: str) -> TowerModule:
    """Return the module that reads towers of this ``model_type``."""
    return _find(TOWERS, model_type, "vision tower", origin)


def find_decoder(model_type: str, origin: str) -> DecoderModule:
    """Return the module that reads language models of this ``model_type``."""
    return _find(DECODERS, model_type, "language model", origin)


def _find(modules: tuple[M, ...], model_type: str, noun: str, origin: str) -> M:
    for module in modules:
        if model_type in module.KINDS:
            return module
    kinds = ", ".join(kind for module in modules for kind in module.KINDS)
    raise CheckpointError(
        f"{origin} has a {noun} of the kind {model_type[:60]!r}, which EdgeKit does not build",
        f"It builds these: {kinds}.",
    )


def stored_stem(stem: str, names: Mapping[str, str]) -> str:
    """Return the architecture's own name of a tensor, without its prefix.

    ``stem`` is an EdgeKit name without "vision." or "decoder."; ``names`` has ``{}`` for a layer's number.
    "layers.3.attn.q.weight" becomes "layers.3.self_attn.q_proj.weight".
    """
    if stem in names:
        return names[stem]
    module, _, leaf = stem.rpartition(".")
    parts = module.split(".")
    number = parts[1] if parts[0] == "layers" else ""
    pattern = ".".join(["layers", "{}", *parts[2:]]) if number else module
    return f"{names[pattern].format(number)}.{leaf}"
