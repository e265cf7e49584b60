"""A checkpoint's tokenizer as the text of a tokenizer.json: its own, or one converted once from older files.

Older checkpoints bring SentencePiece's ``tokenizer.model`` (Llama, Mistral) or GPT-2's ``vocab.json`` and
``merges.txt`` (Phi-2). The tokens that people added later stand in ``tokenizer_config.json`` or
``added_tokens.json``.

transformers 4 and 5 read the same files differently, so a tokenizer is read by the one that saved the checkpoint:
``transformers_version`` in config.json; 4 where there is none. What 4.57 does to a tokenizer.json:

- of a Llama class, ``add_bos_token`` (true where it is not said) decides on the start token, whatever the file's
  post-processor does; another class's counts for nothing (GPT-2's does where its two files are converted);
- where ``add_prefix_space`` is said for a Llama class and there is a tokenizer.model, that is converted anew, as
  ``legacy`` says (true where it is not said); else ``legacy`` counts for nothing;
- a byte-level pre-tokenizer gets ``add_prefix_space`` (false where it is not said).

5.23 takes a LLaVA's tokenizer.json as it is, and looks at none of the three. (A tokenizer.model alone it reads without
the blank in front that SentencePiece puts there; checkpoints saved by 5 have a tokenizer.json, so one without is read
as 4 reads it.) An end token is never added: no prompt ends.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import takewhile
from typing import Any

from packaging.version import Version
from tokenizers import Tokenizer

from edgekit.checkpoint.documents import Fields, unreadable
from edgekit.checkpoint.sentencepiece import added_token, parse, to_tokenizer_json
from edgekit.checkpoint.source import Source
from edgekit.checkpoint.specials import special_tokens, tokenizer_class
from edgekit.errors import CheckpointError, gist

_HINT = "Save one on another machine: AutoTokenizer.from_pretrained(SOURCE).save_pretrained(DIR)."
_FLAGS = ("single_word", "lstrip", "rstrip", "normalized")


def tokenizer_json(source: Source) -> str:
    """Return the text of a tokenizer.json that the tokenizers library has accepted, and that encodes as the version of
    transformers did that saved the checkpoint.

    :class:`CheckpointError` when there is no tokenizer, or a broken one.
    """
    text = source.text("tokenizer.json")
    if text and not (_saved_by_4(source) and _converts_anew(source)):
        tokenizer = dict(source.table("tokenizer.json").values)
        completed = _as_4_reads(dict(tokenizer), text, source) if _saved_by_4(source) else tokenizer
        text = text if completed == tokenizer else _written(completed)
    else:
        text = _written(_converted(source))
    parse_tokenizer(text, str(source.path))
    return text


def parse_tokenizer(text: str, origin: str) -> Tokenizer:
    """Return the tokenizer that a tokenizer.json's text describes, and that can encode: else :class:`CheckpointError`.

    Texts are never cut or filled up, whatever training left in the file: the caller knows the context.
    """
    with tokenizer_errors(origin):
        tokenizer = Tokenizer.from_str(text)
        tokenizer.no_truncation()
        tokenizer.no_padding()
        tokenizer.encode("")
        return tokenizer


def start_ids(tokenizer: Tokenizer) -> list[int]:
    """Return what the tokenizer puts in front of every text. A text is asked: around an empty one, nothing tells front
    from behind, and what stands behind ends a text.
    """
    encoded = tokenizer.encode("a")
    front = takewhile(lambda pair: pair[1] is None, zip(encoded.ids, encoded.sequence_ids, strict=True))
    return [index for index, _ in front]


@contextmanager
def tokenizer_errors(origin: str) -> Iterator[None]:
    """Translate what the tokenizers library raises: bare Exceptions, and panics, which are no Exception."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise CheckpointError(f"The tokenizer of {origin} is broken: {gist(str(error), 200)}", _HINT) from error


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
        pieces = parse(data, str(model))
        pieces = replace(pieces, dummy_prefix=config.flag("add_prefix_space", pieces.dummy_prefix))
        tokenizer = to_tokenizer_json(pieces, config.flag("legacy", True))
    elif vocabulary.is_file() and (source.path / "merges.txt").is_file():
        tokenizer = _byte_level(source)
    else:
        raise CheckpointError(f"{source.path} has no tokenizer (tokenizer.json or tokenizer.model)", _HINT)
    _add_tokens(tokenizer, source)
    return _with_start(tokenizer, [], source)


def _byte_level(source: Source) -> dict[str, Any]:
    """GPT-2's two files; the format is that of its published encoder."""
    lines = source.text("merges.txt").splitlines()
    merges = [line.split(" ") for line in lines if line.strip() and not line.startswith("#version")]
    blank = source.table("tokenizer_config.json").flag("add_prefix_space", False)
    byte_level = {"type": "ByteLevel", "add_prefix_space": blank, "trim_offsets": True, "use_regex": True}
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
        for text in set(special_tokens(source).values())
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
    special = set(special_tokens(source).values())
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


def _saved_by_4(source: Source) -> bool:
    try:
        return Version(str(source.config.values.get("transformers_version", ""))).major < 5
    except ValueError:  # no version, or of more digits than Python reads
        return True


def _converts_anew(source: Source) -> bool:
    """Whether transformers 4 passes over tokenizer.json."""
    llama = tokenizer_class(source).startswith("Llama") and (source.path / "tokenizer.model").is_file()
    return llama and "add_prefix_space" in source.table("tokenizer_config.json")


def _as_4_reads(tokenizer: dict[str, Any], text: str, source: Source) -> dict[str, Any]:
    """What transformers 4 makes of a tokenizer.json: see the head of this module."""
    config = source.table("tokenizer_config.json")
    before = tokenizer.get("pre_tokenizer")
    if isinstance(before, dict) and before.get("type") == "ByteLevel":  # old files give Metaspace the key too
        tokenizer["pre_tokenizer"] = {**before, "add_prefix_space": config.flag("add_prefix_space", False)}
    return _with_start(tokenizer, start_ids(parse_tokenizer(text, str(source.path))), source)


def _with_start(tokenizer: dict[str, Any], starts: list[int], source: Source) -> dict[str, Any]:
    """``tokenizer``, which ``starts`` texts so, with the start token where its class has one, and there alone."""
    name = tokenizer_class(source)
    converted = not (source.path / "tokenizer.json").is_file()
    if not name.startswith("Llama") and not (name.startswith("GPT2") and converted):
        return tokenizer
    text = special_tokens(source).get("bos_token")
    start = _find_added(tokenizer, text)
    wanted = source.table("tokenizer_config.json").flag("add_bos_token", name.startswith("Llama"))
    if starts == [start] * wanted or (wanted and start is None):
        return tokenizer
    if not wanted:
        return {**tokenizer, "post_processor": None}
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
