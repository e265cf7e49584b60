"""What every dialect does in the end: put the parts together and say where each tensor lies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from edgekit.checkpoint import notice, pixels
from edgekit.checkpoint.architectures import Decoder, stored_stem
from edgekit.checkpoint.check import check_spec
from edgekit.checkpoint.checkpoint import Weight
from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.shapes import tensor_shapes
from edgekit.checkpoint.source import Source
from edgekit.checkpoint.spec import DecoderSpec, ImageSpec, ModelSpec, ProjectorSpec, TemplateSpec, VisionSpec
from edgekit.checkpoint.tokenizer import parse_tokenizer, tokenizer_json
from edgekit.checkpoint.tokens import special_ids
from edgekit.checkpoint.tower import StoredTower
from edgekit.errors import CheckpointError


@dataclass(frozen=True)
class Reading:
    """A description, for each of its tensors the stored name and the tensor (None: missing), the tokenizer."""

    spec: ModelSpec
    tensors: Mapping[str, tuple[str, Weight | None]]
    tokenizer_json: str


@dataclass(frozen=True)
class Parts:
    """What a dialect found out: the parts' descriptions, and where they lie in ``source``.

    ``decoder_prefix`` and ``head_prefix`` come before the language model's names and "weight" of its
    head; ``projector_names`` are the stored names of the projector's linear layers.
    """

    source: Source
    tower: StoredTower
    vision: VisionSpec
    projector: ProjectorSpec
    projector_names: Sequence[str]
    decoder_module: Decoder
    decoder: DecoderSpec
    decoder_prefix: str
    head_prefix: str

    def read(
        self, family: str, image: ImageSpec, template: TemplateSpec, about_template: tuple[str, ...] = ()
    ) -> Reading:
        """The whole description, with every tensor looked up; ``about_template`` is among its notes."""
        source = self.source
        text = tokenizer_json(source)
        tokenizer = parse_tokenizer(text, str(source.path))
        bos_id, stop_ids = special_ids(source, tokenizer, template, self.decoder.vocab)
        spec = ModelSpec(
            family=family,
            vision=self.vision,
            projector=self.projector,
            decoder=self.decoder,
            image=image,
            template=template,
            bos_id=bos_id,
            stop_ids=stop_ids,
            licence=notice.licence(source),
            intended_use=notice.intended_use(source),
            notes=(*pixels.notes(self.tower.source), *about_template),
        )
        check_spec(spec, source.config.where)
        return Reading(spec, {name: self._lookup(name) for name in tensor_shapes(spec)}, text)

    def _lookup(self, name: str) -> tuple[str, Weight | None]:
        part, _, stem = name.partition(".")
        if part == "vision":
            stored = self.tower.prefix + stored_stem(stem, self.tower.module.NAMES)
            return stored, self.tower.tensors.get(stored)
        if part == "projector":
            index, _, leaf = stem.partition(".")
            stored = f"{self.projector_names[int(index)]}.{leaf}"
        elif stem.startswith("lm_head."):
            leaf = stem.removeprefix("lm_head.")
            tied = self.decoder.tied and leaf == "weight"
            stored = f"{self.decoder_prefix}embed_tokens.weight" if tied else self.head_prefix + leaf
        else:
            stored = self.decoder_prefix + stored_stem(stem, self.decoder_module.NAMES)
        return stored, self.source.tensors.get(stored)


def decoder_prefix(source: Source, candidates: Sequence[str]) -> str:
    """Where the language model lies: :class:`CheckpointError` when there is no embedding under any candidate."""
    prefix = source.prefix(candidates, "embed_tokens.weight")
    if prefix is None:
        names = [candidate + "embed_tokens.weight" for candidate in candidates]
        raise CheckpointError(
            f"{source.path} has no embedding; EdgeKit looked for {', '.join(names)}",
            "The weights are not those that config.json describes: adapters (LoRA) or deltas must be merged first.",
        )
    return prefix


def untie_if_stored(decoder: DecoderSpec, source: Source, head_prefix: str, outer: Fields) -> DecoderSpec:
    """Tied where the language model's config says so, or where the outer one does and no head is stored."""
    missing = head_prefix + "weight" not in source.tensors
    return replace(decoder, tied=decoder.tied or (missing and outer.flag("tie_word_embeddings", False)))


def mlp_projector(kind: str, vision: VisionSpec, decoder: DecoderSpec, where: str) -> ProjectorSpec:
    """ "linear", or "mlpNx_gelu": N linear layers with GELU between them."""
    match = re.fullmatch(r"mlp([1-9])x_gelu", kind)
    if kind != "linear" and match is None:
        raise CheckpointError(
            f"{where} has a projector of the kind {kind[:40]!r}, which EdgeKit does not build",
            "It builds: linear, mlpNx_gelu.",
        )
    depth = int(match[1]) if match else 1
    return ProjectorSpec((vision.hidden, *[decoder.hidden] * depth))


def mlp_names(prefix: str, kind: str, depth: int) -> list[str]:
    """A lone Linear has no number; in a Sequential, the activations take the odd ones."""
    return [prefix] if kind == "linear" else [f"{prefix}.{2 * i}" for i in range(depth)]
