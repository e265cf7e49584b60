"""What every dialect does in the end: put the parts together and say where each tensor lies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgekit.checkpoint import notice
from edgekit.checkpoint.architectures import stored_stem
from edgekit.checkpoint.check import check_spec
from edgekit.checkpoint.checkpoint import Weight
from edgekit.checkpoint.dialects.language import StoredDecoder
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


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a dialect found out: the parts' descriptions, and where they lie in ``source``.

    ``projector_names`` are the stored names of the projector's linear layers.
    """

    source: Source
    tower: StoredTower
    vision: VisionSpec
    projector: ProjectorSpec
    projector_names: Sequence[str]
    decoder: StoredDecoder

    def read(
        self, family: str, image: ImageSpec, template: TemplateSpec, about_template: tuple[str, ...] = ()
    ) -> Reading:
        """Return the whole description, with every tensor looked up; ``about_template`` is among its notes."""
        source = self.source
        text = tokenizer_json(source)
        tokenizer = parse_tokenizer(text, str(source.path))
        bos_id, stop_ids = special_ids(source, tokenizer, template, self.decoder.spec.vocab)
        spec = ModelSpec(
            family=family,
            vision=self.vision,
            projector=self.projector,
            decoder=self.decoder.spec,
            image=image,
            template=template,
            bos_id=bos_id,
            stop_ids=stop_ids,
            licence=notice.licence(source),
            intended_use=notice.intended_use(source),
            notes=(*self.tower.notes, *self.decoder.notes, *about_template),
        )
        check_spec(spec, source.config.origin)
        return Reading(spec, {name: self._lookup(name) for name in tensor_shapes(spec)}, text)

    def _lookup(self, name: str) -> tuple[str, Weight | None]:
        part, _, stem = name.partition(".")
        if part == "vision":
            stored = self.tower.prefix + stored_stem(stem, self.tower.module.NAMES)
            return stored, self.tower.tensors.get(stored)
        if part == "projector":
            index, _, leaf = stem.partition(".")
            stored = f"{self.projector_names[int(index)]}.{leaf}"
        else:
            stored = self.decoder.stored(stem)
        return stored, self.source.tensors.get(stored)


def selected_layer(config: Fields, key: str, default: int | None = None) -> int:
    """Return which of the tower's hidden states the projector reads: a number, or a list of one."""
    value = config.values.get(key)
    if not isinstance(value, list):
        return config.integer(key, default)
    if len(value) != 1:
        raise config.error(key, "one number: models whose projector reads several layers are not built")
    return Fields({key: value[0]}, config.origin).integer(key)


def mlp_parts(
    source: Source, tower: StoredTower, vision: VisionSpec, decoder: StoredDecoder, kind: str, prefix: str
) -> Parts:
    """Put the parts together around a projector of a ``kind`` that LLaVA's own code names, stored under ``prefix``."""
    projector = mlp_projector(kind, vision, decoder.spec, source.config.origin)
    return Parts(
        source=source,
        tower=tower,
        vision=vision,
        projector=projector,
        projector_names=mlp_names(prefix, kind, len(projector.widths) - 1),
        decoder=decoder,
    )


def mlp_projector(kind: str, vision: VisionSpec, decoder: DecoderSpec, origin: str) -> ProjectorSpec:
    """Return the projector of a kind: "linear", or "mlpNx_gelu", N linear layers with GELU between them."""
    match = re.fullmatch(r"mlp([1-9])x_gelu", kind)
    if kind != "linear" and match is None:
        raise CheckpointError(
            f"{origin} has a projector of the kind {kind[:40]!r}, which EdgeKit does not build",
            "It builds: linear, mlpNx_gelu.",
        )
    depth = int(match[1]) if match else 1
    return ProjectorSpec((vision.hidden, *[decoder.hidden] * depth))


def mlp_names(prefix: str, kind: str, depth: int) -> list[str]:
    """Return the projector's stored names: a lone Linear has no number; in a Sequential,
    the activations take the odd ones.
    """
    return [prefix] if kind == "linear" else [f"{prefix}.{2 * i}" for i in range(depth)]
