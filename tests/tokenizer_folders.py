"""Tokenizers as checkpoints bring them: one list of folders for each form in ``docs/reads.md``."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import sentencepiece
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

from edgekit.checkpoint.sentencepiece import parse, to_tokenizer_json

CORPUS = [
    "Is there a pleural effusion in the left lung? No, the lung is clear.",
    "The heart is enlarged; the aorta is normal. The heart size is 12.5 cm.",
    "Which modality is this image? A chest radiograph, frontal view.",
]
TEXTS = ["the lung", "</s>the lung", " a", "The heart is enlarged?\n 中文", "</s> a</s>the"]
BOS, EOS = 1, 2
LLAMA = {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
FAST = {**LLAMA, "tokenizer_class": "PreTrainedTokenizerFast"}
UNNAMED = {key: text for key, text in LLAMA.items() if key != "tokenizer_class"}
GPT2 = dict.fromkeys(("bos_token", "eos_token", "unk_token"), "<|endoftext|>") | {"tokenizer_class": "GPT2Tokenizer"}
CODEGEN = {**GPT2, "tokenizer_class": "CodeGenTokenizer"}
FRAMES = ("", "$A", "<s> $A", "<s> $A </s>")  # of a post-processor; "" is none


@cache
def sentencepiece_model(kind: str = "bpe") -> bytes:
    """A tokenizer.model of Llama's kind."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS * 4),
        model_writer=model,
        model_type=kind,
        vocab_size=360 if kind == "bpe" else 60,
        byte_fallback=kind == "bpe",
        hard_vocab_limit=False,
        minloglevel=2,
        num_threads=1,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
    )
    return model.getvalue()


def llama_json(legacy: bool, frame: str) -> str:
    """The same as a tokenizer.json, whose post-processor puts ``frame`` around a text."""
    tokenizer = Tokenizer.from_str(json.dumps(to_tokenizer_json(parse(sentencepiece_model(), "here"), legacy)))
    if frame:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=frame, special_tokens=[("<s>", BOS), ("</s>", EOS)]
        )
    return tokenizer.to_str()


@cache
def byte_level(blank: bool) -> Tokenizer:
    """A tokenizer of GPT-2's kind, with a ``blank`` before a text or not."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|endoftext|>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=blank)
    return tokenizer


@dataclass(frozen=True)
class Folder:
    """Files of a checkpoint: by what ``version`` of transformers it was saved, its ``config``, its tokenizer.

    ``files`` are "llama" or "byte-level" with what makes them differ, "model" for a tokenizer.model, "gpt2" for two
    files; ``starts``: whether a prompt has the start token.
    """

    files: Sequence[str]
    starts: bool
    config: Mapping[str, Any] = field(default_factory=dict)
    version: str = "4.57.6"
    legacy: bool = True
    frame: str = "<s> $A"
    more: Mapping[str, Any] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        path.mkdir(parents=True)
        _dump(path / "config.json", {"model_type": "llava", "transformers_version": self.version})
        for name, content in {"tokenizer_config.json": self.config, **self.more}.items():
            _dump(path / name, content)
        if "llama" in self.files:
            (path / "tokenizer.json").write_text(llama_json(self.legacy, self.frame), encoding="utf-8")
        for blank in (False, True):
            if f"byte-level {blank}" in self.files:
                byte_level(blank).save(str(path / "tokenizer.json"))
        for kind in ("bpe", "unigram"):
            if f"model {kind}" in self.files:
                (path / "tokenizer.model").write_bytes(sentencepiece_model(kind))
        if "gpt2" in self.files:
            byte_level(False).model.save(str(path))


def _dump(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")


def _flags(name: str, *values: bool | None) -> list[dict[str, bool]]:
    return [{} if value is None else {name: value} for value in values]


_BOS = _flags("add_bos_token", None, True, False)
_LEGACY = _flags("legacy", None, True, False)
_BLANK = _flags("add_prefix_space", None, True, False)
_SIZE = len(parse(sentencepiece_model(), "here").pieces)

FORMS: dict[str, list[Folder]] = {
    "tokenizer.json of a Llama class, saved by 4: `add_bos_token` decides, not the file": [
        Folder(["llama"], flag.get("add_bos_token", True), {**config, **flag}, legacy=legacy, frame=frame)
        for config in (LLAMA, UNNAMED)
        for flag in _BOS
        for frame in FRAMES
        for legacy in (True, False)
    ],
    "tokenizer.json of another class, saved by 4: the file decides": [
        Folder(["llama"], "<s>" in frame, {**FAST, **flag}, frame=frame) for flag in _BOS for frame in FRAMES
    ],
    "tokenizer.json saved by 5: the file decides, whatever the class": [
        Folder(["llama"], "<s>" in frame, config, "5.23.0", legacy, frame)
        for config in (UNNAMED, {**FAST, "add_bos_token": True}, {**LLAMA, "add_bos_token": False, "legacy": False})
        for frame in FRAMES
        for legacy in (True, False)
    ],
    "tokenizer.json with `add_eos_token`: no prompt ends": [
        Folder(["llama"], True, {**config, "add_eos_token": True}, version)
        for config in (LLAMA, FAST)
        for version in ("4.57.6", "5.23.0")
    ],
    "tokenizer.json beside a tokenizer.model: `legacy` counts for nothing": [
        Folder(["llama", "model bpe"], True, {**LLAMA, **flag}, legacy=legacy)
        for flag in _LEGACY
        for legacy in (True, False)
    ],
    "tokenizer.json beside a tokenizer.model, `add_prefix_space` said, saved by 4: converted anew": [
        Folder(["llama", "model bpe"], True, {**LLAMA, **blank, **flag}) for blank in _BLANK[1:] for flag in _LEGACY
    ],
    "tokenizer.json, byte-level, saved by 4: `add_prefix_space` decides": [
        Folder([f"byte-level {blank}"], False, {**config, **flag})
        for config in (GPT2, CODEGEN, {**GPT2, "tokenizer_class": "PreTrainedTokenizerFast"})
        for flag in _BLANK
        for blank in (True, False)
    ],
    "tokenizer.json, byte-level, saved by 5: the file decides": [
        Folder([f"byte-level {blank}"], False, {**GPT2, **flag}, "5.23.0") for flag in _BLANK for blank in (True, False)
    ],
    "tokenizer.model, `legacy` or not": [
        Folder(["model bpe"], flag.get("add_bos_token", True), {**config, **legacy, **flag})
        for config in (LLAMA, UNNAMED)
        for legacy in _LEGACY
        for flag in _BOS
    ],
    "tokenizer.model with added_tokens.json": [
        Folder(["model bpe"], True, LLAMA, more={"added_tokens.json": {"<im_start>": _SIZE, "<im_end>": _SIZE + 1}})
    ],
    "tokenizer.model of the unigram kind": [Folder(["model unigram"], True, LLAMA)],
    "vocab.json and merges.txt": [
        Folder(["gpt2"], bool(bos.get("add_bos_token")), {**GPT2, **blank, **bos}) for blank in _BLANK for bos in _BOS
    ],
    "neither (a tekken.json or a tiktoken file alone)": [
        Folder([], True, LLAMA, more={name: {}}) for name in ("tekken.json", "tiktoken.model")
    ],
}
