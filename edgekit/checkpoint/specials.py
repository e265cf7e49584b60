"""What a checkpoint's special tokens are called: in its files, or by what its tokenizer's class supposes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgekit.checkpoint.source import Source

# Where tokenizer_config.json names no token, by the beginning of the class's name.
_SUPPOSED = (
    ("Llama", {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}),
    ("CodeGen", dict.fromkeys(("bos_token", "eos_token", "unk_token"), "<|endoftext|>")),
    ("GPT2", dict.fromkeys(("bos_token", "eos_token", "unk_token"), "<|endoftext|>")),
)


def tokenizer_class(source: Source) -> str:
    """Return the class in tokenizer_config.json. Without one, transformers takes Llama's for LLaVA,
    and GPT-2's two files have GPT-2's.
    """
    name = source.table("tokenizer_config.json").values.get("tokenizer_class")
    if isinstance(name, str) and name:
        return name
    llama = (source.path / "tokenizer.json").is_file() or (source.path / "tokenizer.model").is_file()
    return "LlamaTokenizer" if llama else "GPT2Tokenizer"


def special_tokens(source: Source) -> dict[str, str]:
    """Return the texts of the tokens with a role, by its name in transformers: "bos_token", "eos_token", …"""
    name = tokenizer_class(source)
    supposed = next((tokens for start, tokens in _SUPPOSED if name.startswith(start)), {})
    said = source.table("tokenizer_config.json").values  # null there: the class's token is none
    tokens = {role: text for role, text in supposed.items() if role not in said}
    for file in ("special_tokens_map.json", "tokenizer_config.json"):
        values = source.table(file).values
        tokens.update(_named(values))
        extra = values.get("extra_special_tokens")
        tokens.update(_named(extra) if isinstance(extra, dict) else {})
    return tokens


def _named(values: Mapping[str, Any]) -> dict[str, str]:
    texts = {key: value.get("content") if isinstance(value, dict) else value for key, value in values.items()}
    return {key: text for key, text in texts.items() if key.endswith("_token") and isinstance(text, str)}
