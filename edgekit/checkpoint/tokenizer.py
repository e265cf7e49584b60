"""A checkpoint's tokenizer as the text of a tokenizer.json: its own, or one converted once from older files.

Older checkpoints bring SentencePiece's ``tokenizer.model`` (Llama, Mistral) or GPT-2's ``vocab.json`` and
``merges.txt`` (Phi-2). The tokens that people added later stand in ``tokenizer_config.json`` or
``added_tokens.json``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tokenizers import Tokenizer

from edgekit.checkpoint.documents import Fields, unreadable
from edgekit.checkpoint.sentencepiece import added_token, parse, to_tokenizer_json
from edgekit.checkpoint.source import Source
from edgekit.errors import CheckpointError, gist

_HINT = "Save one on another machine: AutoTokenizer.from_pretrained(SOURCE).save_pretrained(DIR)."
_FLAGS = ("single_word", "lstrip", "rstrip", "normalized")


def tokenizer_json(source: Source) -> str:
    """The text of a tokenizer.json that the tokenizers library has accepted.

    A file that is there is taken as it is, except that a Llama tokenizer without its start token gets
    it (transformers adds it on loading). :class:`CheckpointError` when there is no tokenizer, or a broken one.
    """
    if text := source.text("tokenizer.json"):
        tokenizer = source.table("tokenizer.json").values
        completed = _with_start(dict(tokenizer), source)
        text = text if completed == tokenizer else _written(completed)
    else:
        text = _written(_converted(source))
    parse_tokenizer(text, str(source.path))
    return text


def parse_tokenizer(text: str, where: str) -> Tokenizer:
    """The tokenizer that a tokenizer.json's text describes, and that can encode: else :class:`CheckpointError`.

    Texts are never cut or filled up, whatever training left in the file: the caller knows the context.
    """
    with tokenizer_errors(where):
        tokenizer = Tokenizer.from_str(text)
        tokenizer.no_truncation()
        tokenizer.no_padding()
        tokenizer.encode("")
        return tokenizer


@contextmanager
def tokenizer_errors(where: str) -> Iterator[None]:
    """Translate what the tokenizers library raises: bare Exceptions, and panics, which are no Exception."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise CheckpointError(f"The tokenizer of {where} is broken: {gist(str(error), 200)}", _HINT) from error


def _written(tokenizer: dict[str, Any]) -> str:
    return json.dumps(tokenizer, ensure_ascii=False)


def _converted(source: Source) -> dict[str, Any]:
    model, vocabulary = source.path / "tokenizer.model", source.path / "vocab.json"
    if model.is_file():
        try:
            data = model.read_bytes()
        except OSError as error:
            raise unreadable(model, error) from None
        config = source.table("tokenizer_config.json")
        tokenizer = to_tokenizer_json(parse(data, str(model)), config.flag("legacy", True))
    elif vocabulary.is_file() and (source.path / "merges.txt").is_file():
        tokenizer = _byte_level(source)
    else:
        raise CheckpointError(f"{source.path} has no tokenizer (tokenizer.json or tokenizer.model)", _HINT)
    _add_tokens(tokenizer, source)
    return _with_start(tokenizer, source)


def _byte_level(source: Source) -> dict[str, Any]:
    """GPT-2's two files; the format is that of its published encoder."""
    lines = source.text("merges.txt").splitlines()
    merges = [line.split(" ") for line in lines if line.strip() and not line.startswith("#version")]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": dict(source.table("vocab.json").values),
            "merges": merges,
        },
    }


def _add_tokens(tokenizer: dict[str, Any], source: Source) -> None:
    """Put the added tokens in, ordered by id: beyond the vocabulary their ids must go on without a gap."""
    vocabulary = tokenizer["model"]["vocab"]
    roles = [
        added_token(vocabulary[text], text, special=True)
        for text in _named_specials(source)
        if type(vocabulary.get(text)) is int
    ]
    added = {token["id"]: token for token in [*tokenizer["added_tokens"], *roles, *_added(source)]}
    expected = len(vocabulary)
    for index, token in sorted(added.items()):
        if vocabulary.get(token["content"]) == index:
            continue
        if index != expected or token["content"] in vocabulary:
            raise CheckpointError(
                f"The added token {token['content'][:40]!r} of {source.path} has the id {index}, expected {expected}",
                _HINT,
            )
        expected += 1
    tokenizer["added_tokens"] = [token for _, token in sorted(added.items())]


def _added(source: Source) -> Iterator[dict[str, Any]]:
    plain = source.table("added_tokens.json")
    special = _named_specials(source)
    for text in plain.values:
        yield added_token(_id(plain, text), text, special=text in special)
    # The newer file says more about each token, so it comes last and wins.
    described = source.table("tokenizer_config.json").table("added_tokens_decoder")
    for key in described.values:
        token = described.table(key)
        if not key.isdecimal():
            raise described.error(key, "an entry whose name is a token id")
        flags = {flag: token.flag(flag, False) for flag in _FLAGS}
        yield added_token(int(key[:12]), token.text("content"), special=token.flag("special", False), **flags)


def _id(table: Fields, text: str) -> int:
    index = table.integer(text)
    if index < 0:
        raise table.error(text, "a token id")
    return index


def _named_specials(source: Source) -> set[str]:
    """The tokens with a role (bos_token, eos_token, …) in tokenizer_config.json and special_tokens_map.json."""
    found = set()
    for file in ("tokenizer_config.json", "special_tokens_map.json"):
        for key, value in source.table(file).values.items():
            text = value.get("content") if isinstance(value, dict) else value
            if key.endswith("_token") and isinstance(text, str):
                found.add(text)
    return found


def _with_start(tokenizer: dict[str, Any], source: Source) -> dict[str, Any]:
    """Put the start token first, where the tokenizer's class does so and tokenizer.json says nothing of it."""
    config = source.table("tokenizer_config.json")
    llama = (source.path / "tokenizer.model").is_file() or "Llama" in str(config.values.get("tokenizer_class", ""))
    if tokenizer.get("post_processor") is not None or not config.flag("add_bos_token", llama):
        return tokenizer
    value = config.values.get("bos_token")
    text = value.get("content") if isinstance(value, dict) else value if isinstance(value, str) else "<s>"
    start = _find_added(tokenizer, text)
    if start is None:
        return tokenizer
    first, body = {"SpecialToken": {"id": text, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}
    second = [{"SpecialToken": {"id": text, "type_id": 1}}, {"Sequence": {"id": "B", "type_id": 1}}]
    template = {
        "type": "TemplateProcessing",
        "single": [first, body],
        "pair": [first, body, *second],
        "special_tokens": {text: {"id": text, "ids": [start], "tokens": [text]}},
    }
    return {**tokenizer, "post_processor": template}


def _find_added(tokenizer: dict[str, Any], text: Any) -> int | None:
    added = tokenizer.get("added_tokens")
    for token in added if isinstance(added, list) else []:
        if isinstance(token, dict) and token.get("content") == text and type(token.get("id")) is int:
            return int(token["id"])
    return None
