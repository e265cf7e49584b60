"""Which token starts a text, which ones end a reply, and whether the model knows those that prompts are made of."""

from __future__ import annotations

from tokenizers import Tokenizer

from edgekit.checkpoint.chat.write import IMAGE, Spoken, write
from edgekit.checkpoint.source import Source
from edgekit.checkpoint.spec import TemplateSpec
from edgekit.checkpoint.specials import special_tokens
from edgekit.checkpoint.tokenizer import start_ids, tokenizer_errors
from edgekit.errors import CheckpointError

# What ends a reply in the families that say nothing of it.
_USUAL_ENDS = ("</s>", "<|endoftext|>", "<|im_end|>", "<|eot_id|>")


def special_ids(
    source: Source, tokenizer: Tokenizer, template: TemplateSpec, vocab: int
) -> tuple[int | None, tuple[int, ...]]:
    """Return (the token that the tokenizer puts in front, or None; the tokens that end a reply).

    The model knows ``vocab`` tokens. :class:`CheckpointError` when a prompt may hold others, since the
    tokenizer belongs to another model then, and when nothing ends a reply.
    """
    _check_known(source, tokenizer, template, vocab)
    ends = _known(tokenizer, template.stop, vocab)
    stops = _stop_ids(source, vocab) or _known(tokenizer, _eos_token(source), vocab)
    stops = stops | ends or _known(tokenizer, _USUAL_ENDS, vocab)
    if not stops:
        raise CheckpointError(
            f"Nothing in {source.path} says which token ends a reply",
            "Put eos_token_id, as published with the model, into generation_config.json.",
        )
    return next(iter(start_ids(tokenizer)), None), tuple(sorted(stops))


def _check_known(source: Source, tokenizer: Tokenizer, template: TemplateSpec, vocab: int) -> None:
    """Refuse ids ≥ ``vocab`` in what prompts are made of: people's words, and the template around them.

    Other added tokens may lie beyond: <image> gives way to an image's rows, and no question can spell one.
    """
    added = tokenizer.get_added_tokens_decoder()
    words = {index for index in tokenizer.get_vocab().values() if index not in added}
    words |= {index for index, token in added.items() if not token.content.strip()}
    turns = [Spoken("a", "a", 1), Spoken("a", "a"), Spoken("a")]
    conversation = write(template, turns) + write(template, turns, "a")
    with tokenizer_errors(str(source.path)):
        words.update(
            start_ids(tokenizer), tokenizer.encode(conversation.replace(IMAGE, ""), add_special_tokens=False).ids
        )
    if (largest := max(words, default=0)) >= vocab:
        raise CheckpointError(
            f"The tokenizer of {source.path} writes token {largest}, but the model's vocabulary is {vocab}",
            "The tokenizer belongs to another model: compare its files with the published ones.",
        )


def _known(tokenizer: Tokenizer, texts: tuple[str, ...], vocab: int) -> set[int]:
    """The ids of those ``texts`` that are tokens of the model."""
    ids = map(tokenizer.token_to_id, texts)
    return {index for index in ids if index is not None and index < vocab}


def _stop_ids(source: Source, vocab: int) -> set[int]:
    """eos_token_id of the first file that says it: one id or several."""
    text = source.config.table("text_config").values
    for config in (source.table("generation_config.json").values, source.config.values, text):
        ids = config.get("eos_token_id")
        numbers = {index for index in (ids if isinstance(ids, list) else [ids]) if type(index) is int}
        if stops := {index for index in numbers if 0 <= index < vocab}:
            return stops
    return set()


def _eos_token(source: Source) -> tuple[str, ...]:
    eos = special_tokens(source).get("eos_token")
    return () if eos is None else (eos,)
