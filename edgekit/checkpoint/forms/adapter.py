"""Adapters of the PEFT library (LoRA and its kin): small matrices that mean nothing without their base.

PEFT writes adapter_config.json and adapter_model.safetensors (or .bin); LLaVA's training adds what it trained
besides in non_lora_trainables.bin. Inside a whole model that PEFT wrapped, a Linear's own weight is called
``base_layer``. Names as in https://huggingface.co/docs/peft/developer_guides/checkpoint.
"""

from __future__ import annotations

import re

from edgekit.checkpoint.source import Source, printable
from edgekit.errors import CheckpointError

_FILES = ("adapter_config.json", "adapter_model.safetensors", "adapter_model.bin")
_BESIDE_LLAVAS = "non_lora_trainables.bin"
_MODEL = re.compile(r"(model|pytorch_model)(-\d+-of-\d+|\.safetensors\.index|\.bin\.index)?\.(safetensors|bin|json)")
_PARTS = "|".join(
    (
        r"lora_\w+|base_layer|modules_to_save|original_module|ia3_l|prompt_embeddings",
        r"hada_[wt]\w+|lokr_\w+|oft_\w+|boft_\w+|vera_\w+|ln_tuning_layers",
    )
)
_NAME = re.compile(rf"(?:^base_model\.model\.)|(?:(?:^|\.)(?:{_PARTS})(?:\.|$))")
_MERGE = (
    "Merge it into its base: load the base with transformers and the adapter with peft, call merge_and_unload() and "
    "save_pretrained(DIR), then give EdgeKit DIR."
)
_MERGE_LLAVAS = (
    "Merge it into its base with LLaVA's own scripts/merge_lora_weights.py (--model-path this folder, --model-base "
    "the base, --save-model-path DIR), which takes non_lora_trainables.bin in, too; then give EdgeKit DIR."
)


def by_files(source: Source) -> CheckpointError | None:
    """Recognise a folder with PEFT's files, alone or beside a model: transformers would add the adapter to a base."""
    files = source.files()
    adapter = next((name for name in _FILES if name in files), "")
    if not adapter:
        return None
    about = source.table("adapter_config.json") if "adapter_config.json" in files else None
    kind, base = (about.values.get(key) for key in ("peft_type", "base_model_name_or_path")) if about else (None, None)
    named = f"{kind[:20]} adapter" if isinstance(kind, str) else "adapter"
    whose = f" of {printable(base[:100])}" if isinstance(base, str) and base else ""
    merge = _MERGE_LLAVAS if _BESIDE_LLAVAS in files else _MERGE
    if any(map(_MODEL.fullmatch, files)):
        return CheckpointError(
            f"{source.path} holds a model and, in {adapter}, {_article(named)}{whose}: nothing says whether the "
            "adapter is part of that model already",
            f"If it is, move adapter_config.json and adapter_model.* out of the folder. If it is not: {merge}",
        )
    return CheckpointError(f"{source.path} holds {_article(named)}{whose} ({adapter}), which is no whole model", merge)


def by_tensors(source: Source) -> CheckpointError | None:
    """Recognise tensors under the names that PEFT gives them: those of an adapter,
    or of a model that one still sits in.
    """
    name = next((name for name in source.tensors if _NAME.search(name)), None)
    if name is None:
        return None
    shown = printable(name[:120])
    if any(".base_layer." in name or name.endswith("embed_tokens.weight") for name in source.tensors):
        return CheckpointError(
            f"{source.path} holds a model with an adapter that was not merged into it ({shown})",
            "Where it was trained, call merge_and_unload() of peft's model before save_pretrained(DIR), "
            "then give EdgeKit DIR.",
        )
    return CheckpointError(f"{source.path} holds the tensors of an adapter ({shown}), which is no whole model", _MERGE)


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiouAEIO' else 'a'} {noun}"
