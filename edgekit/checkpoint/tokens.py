"""Which token starts a text and which ones end a reply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from edgekit.checkpoint.source import Source
from edgekit.checkpoint.spec import TemplateSpec


def special_ids(source: Source, template: TemplateSpec, vocab: int) -> tuple[int | None, tuple[int, ...]]:
    """(the token that the tokenizer puts in front, or None; the tokens that end a reply).

    Ids beyond ``vocab`` are left out: the model cannot produce them.
    """
    known = _special_tokens(source)
    stops = dict.fromkeys([*_stop_ids(source), *(known[text] for text in template.stop if text in known)])
    bos = _first_token(source, known)
    return (bos if bos is not None and bos < vocab else None), tuple(sorted(i for i in stops if i < vocab))


def _stop_ids(source: Source) -> Iterator[int]:
    text = source.config.table("text_config").values
    for config in (source.table("generation_config.json").values, source.config.values, text):
        ids = config.get("eos_token_id")
        found = [i for i in (ids if isinstance(ids, list) else [ids]) if type(i) is int and i >= 0]
        if found:
            yield from found
            return


def _special_tokens(source: Source) -> dict[str, int]:
    """Text → id of the tokens that tokenizer.json adds to its model's vocabulary."""
    added = source.table("tokenizer.json").values.get("added_tokens")
    if not isinstance(added, list):
        return {}
    return {
        item["content"]: item["id"]
        for item in added
        if isinstance(item, dict) and isinstance(item.get("content"), str) and type(item.get("id")) is int
    }


def _first_token(source: Source, known: Mapping[str, int]) -> int | None:
    """The start token, where tokenizer.json's post-processor or the tokenizer's config puts one in front."""
    config = source.table("tokenizer_config.json").values
    bos = config.get("bos_token")
    bos = bos.get("content") if isinstance(bos, dict) else bos
    first = _post_processor_first(source.table("tokenizer.json").values.get("post_processor"))
    if first is not None:
        return known.get(first)
    adds = config.get("add_bos_token", "Llama" in str(config.get("tokenizer_class", "")))
    return known.get(bos) if adds and isinstance(bos, str) else None


def _post_processor_first(processor: Any) -> str | None:
    """The special token that a template post-processor writes before a text."""
    if not isinstance(processor, dict):
        return None
    nested = processor.get("processors")
    for one in nested if isinstance(nested, list) else [processor]:
        single = one.get("single") if isinstance(one, dict) else None
        first = single[0] if isinstance(single, list) and single else None
        special = first.get("SpecialToken") if isinstance(first, dict) else None
        if isinstance(special, dict) and isinstance(special.get("id"), str):
            return str(special["id"])
    return None
