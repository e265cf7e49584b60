"""Parts of a model: LLaVA's projector after its first stage, what was trained beside a LoRA, a training run's state."""

from __future__ import annotations

import re

from edgekit.checkpoint.source import Source
from edgekit.errors import CheckpointError

_PIECES = ("mm_projector.bin", "mm_projector.safetensors", "non_lora_trainables.bin")
_PROJECTOR = re.compile(r"(?:^|\.)(?:mm_projector|multi_modal_projector|connector)\.")
_WHOLE = (
    "Load the whole model with the code that trained it (LLaVA's load_pretrained_model with the base as model_base), "
    "call save_pretrained(DIR), then give EdgeKit DIR."
)


def by_files(source: Source) -> CheckpointError | None:
    """Recognise a folder whose only weights are in one of LLaVA's files for a part."""
    weights = {name for name in source.files() if name.endswith((".bin", ".safetensors"))} - {"training_args.bin"}
    if not weights or not weights <= {*_PIECES}:
        return None
    content = "only a projector" if "non_lora_trainables.bin" not in weights else "only what was trained beside a LoRA"
    return CheckpointError(f"{source.path} holds {content} ({min(weights)}), no whole model", _WHOLE)


def by_folders(source: Source) -> CheckpointError | None:
    """Recognise a training run's own state: TinyLLaVA Factory's parts in folders,
    DeepSpeed's shards of an optimizer.
    """
    files = source.files()
    if any(name.endswith(".safetensors") for name in files):
        return None
    if {"language_model", "connector"} <= files:
        return CheckpointError(
            f"{source.path} holds a model's parts in folders of their own, as TinyLLaVA Factory trains them",
            "Load it with the Factory's load_pretrained_model, call save_pretrained(DIR), then give EdgeKit DIR.",
        )
    if "zero_to_fp32.py" in files or any(name.startswith("global_step") for name in files):
        return CheckpointError(
            f"{source.path} holds the state of a training run with DeepSpeed, no whole model",
            "Run 'python zero_to_fp32.py . DIR --safe_serialization' in it, put config.json and the tokenizer beside "
            "the weights, then give EdgeKit DIR.",
        )
    return None


def by_tensors(source: Source) -> CheckpointError | None:
    """Recognise tensors that are all a projector's."""
    if source.tensors and all(map(_PROJECTOR.search, source.tensors)):
        return CheckpointError(f"{source.path} holds only a projector ({min(source.tensors)}), no whole model", _WHOLE)
    return None
