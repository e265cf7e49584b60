"""Which token starts a text and which ones end a reply."""

from __future__ import annotations

from collections.abc import Iterator

from tokenizers import Tokenizer

from edgekit.checkpoint.source import Source
from edgekit.checkpoint.spec import TemplateSpec
from edgekit.errors import CheckpointError


def special_ids(
    source: Source, tokenizer: Tokenizer, template: TemplateSpec, vocab: int
) -> tuple[int | None, tuple[int, ...]]:
    """(the token that the tokenizer puts in front, or None; the tokens that end a reply).

    The model knows ``vocab`` tokens: ids beyond are left out, since it can't produce them, and a
    tokenizer whose own vocabulary is larger belongs to another model (:class:`CheckpointError`).
    """
    if (known := tokenizer.get_vocab_size(with_added_tokens=False)) > vocab:
        raise CheckpointError(
            f"The tokenizer of {source.path} has {known} tokens, but the model's vocabulary is {vocab}",
            "The tokenizer belongs to another model: compare its files with the published ones.",
        )
    ends = (tokenizer.token_to_id(text) for text in template.stop)
    stops = {*_stop_ids(source), *(index for index in ends if index is not None)}
    # What the post-processor puts around an empty text: the start token, if it comes first.
    around = tokenizer.encode("").ids
    bos = around[0] if around and around[0] < vocab else None
    return bos, tuple(sorted(index for index in stops if index < vocab))


def _stop_ids(source: Source) -> Iterator[int]:
    """eos_token_id of the first file that says it: one id or several."""
    text = source.config.table("text_config").values
    for config in (source.table("generation_config.json").values, source.config.values, text):
        ids = config.get("eos_token_id")
        found = [index for index in (ids if isinstance(ids, list) else [ids]) if type(index) is int and index >= 0]
        if found:
            yield from found
            return
