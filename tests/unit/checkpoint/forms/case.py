"""Copies of a checkpoint with other files or tensors, adapters, and how they are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from edgekit.checkpoint.open import open_checkpoint
from edgekit.errors import CheckpointError
from tests.checkpoints import Tiny

LORA = "language_model.model.layers.0.self_attn.q_proj"


def copied(whole: Tiny, path: Path, *, leave: tuple[str, ...] = ()) -> Path:
    path.mkdir(exist_ok=True)
    for file in whole.path.iterdir():
        if file.name not in leave:
            (path / file.name).write_bytes(file.read_bytes())
    return path


def write_adapter(path: Path, base: str = "liuhaotian/llava-v1.5-7b", kind: str = "LORA") -> Path:
    """As PEFT's save_pretrained leaves it."""
    path.mkdir(exist_ok=True)
    about = {"peft_type": kind, "base_model_name_or_path": base, "r": 8}
    (path / "adapter_config.json").write_text(json.dumps(about))
    names = [f"base_model.model.{LORA}.lora_{letter}.weight" for letter in "AB"]
    save_file({name: np.ones((2, 2), np.float32) for name in names}, path / "adapter_model.safetensors")
    return path


def save_beside(whole: Tiny, path: Path, **tensors: Any) -> Path:
    save_file(tensors, copied(whole, path, leave=("model.safetensors",)) / "model.safetensors")
    return path


def refused(path: Path, words: str, hint: str) -> None:
    with pytest.raises(CheckpointError) as error:
        open_checkpoint(path)
    assert words in error.value.message
    assert hint in error.value.hint
