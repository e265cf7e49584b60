"""Where a checkpoint's language model lies, how it is shaped, and whether its head is the embedding.

config.json may tie the head to the embedding, and the file may hold one of them or both. What is stored wins, as in
transformers 5: two that differ are two; one that stands alone, under either name, is both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edgekit.checkpoint.architectures import DecoderModule, find_decoder, stored_stem
from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.same import same_values
from edgekit.checkpoint.source import Source
from edgekit.checkpoint.spec import DecoderSpec
from edgekit.errors import CheckpointError

_EMBEDDING = "embed_tokens.weight"
_FIRST = "layers.0.input_layernorm.weight"


@dataclass(frozen=True, kw_only=True)
class StoredDecoder:
    """A language model's module and description, and where it lies.

    ``prefix`` stands before its tensors' names, ``head`` before "weight" of its head; ``embedding`` is the
    embedding's whole name. ``notes`` say what config.json does not, or says otherwise than what is stored.
    """

    module: DecoderModule
    spec: DecoderSpec
    prefix: str
    head: str
    embedding: str
    notes: tuple[str, ...] = ()

    def stored(self, stem: str) -> str:
        """Return the stored name of a tensor; ``stem`` is EdgeKit's without "decoder."."""
        if stem == "embedding.weight" or (stem == "lm_head.weight" and self.spec.tied):
            return self.embedding
        if stem.startswith("lm_head."):
            return self.head + stem.removeprefix("lm_head.")
        return self.prefix + stored_stem(stem, self.module.NAMES)


def find(source: Source, text: Fields, outer: Fields, prefixes: Sequence[str], heads: Sequence[str]) -> StoredDecoder:
    """Return the language model under one of ``prefixes``, its head under one of ``heads``.

    ``text`` is its own config, ``outer`` the one around it: either may tie. :class:`CheckpointError` where there is
    no embedding, or the module can't read ``text``.
    """
    module = find_decoder(text.text("model_type"), text.origin)
    spec = module.read(text)
    head = source.prefix(heads, "weight") or heads[0]
    ties = spec.tied or outer.flag("tie_word_embeddings", False)
    prefix = source.prefix(prefixes, _EMBEDDING)
    alone = source.prefix(prefixes, _FIRST)
    if prefix is None and ties and alone is not None and head + "weight" in source.tensors:
        return StoredDecoder(
            module=module,
            spec=replace(spec, tied=True),
            prefix=alone,
            head=head,
            embedding=head + "weight",
            notes=module.notes(text),
        )
    if prefix is None:
        raise _no_embedding(source, prefixes)
    own = ties and _is_of_its_own(source, prefix + _EMBEDDING, head + "weight")
    notes = (*module.notes(text), *([_own_head(head)] if own else []))
    return StoredDecoder(
        module=module,
        spec=replace(spec, tied=ties and not own),
        prefix=prefix,
        head=head,
        embedding=prefix + _EMBEDDING,
        notes=notes,
    )


def _is_of_its_own(source: Source, embedding: str, head: str) -> bool:
    return head in source.tensors and not same_values(source.tensors[embedding], source.tensors[head])


def _own_head(head: str) -> str:
    return (
        f"config.json ties the head to the embedding, but {head}weight is stored and differs from it: "
        "EdgeKit takes what is stored, as transformers 5 does."
    )


def _no_embedding(source: Source, prefixes: Sequence[str]) -> CheckpointError:
    return CheckpointError(
        f"{source.path} has no embedding; EdgeKit looked for {', '.join(name + _EMBEDDING for name in prefixes)}",
        "The weights are not those that config.json describes, or some files were not fetched.",
    )
