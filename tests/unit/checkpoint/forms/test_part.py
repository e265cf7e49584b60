"""A part of a model, or a training run's state, is named as what it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.checkpoints import Tiny
from tests.unit.checkpoint.forms.case import copied, refused, save_beside


@pytest.mark.parametrize("file", ["mm_projector.bin", "non_lora_trainables.bin"])
def test_a_part_alone(whole: Tiny, tmp_path: Path, file: str) -> None:
    path = copied(whole, tmp_path, leave=("model.safetensors",))
    for name in (file, "training_args.bin"):
        (path / name).write_bytes(b"\x80\x04.")
    refused(path, f"({file}), no whole model", "save_pretrained(DIR)")


def test_a_projector_under_a_models_file_name(whole: Tiny, tmp_path: Path) -> None:
    name = "model.mm_projector.0.weight"
    refused(save_beside(whole, tmp_path, **{name: np.ones((2, 2), np.float32)}), "only a projector", "save_pretrained")


@pytest.mark.parametrize(
    ("inside", "words", "hint"),
    [
        (("language_model", "connector", "vision_tower"), "TinyLLaVA Factory", "load_pretrained_model"),
        (("global_step500", "zero_to_fp32.py"), "DeepSpeed", "zero_to_fp32.py . DIR"),
    ],
)
def test_a_training_runs_state(whole: Tiny, tmp_path: Path, inside: tuple[str, ...], words: str, hint: str) -> None:
    path = copied(whole, tmp_path, leave=("model.safetensors",))
    for name in inside:
        (path / name).mkdir()
    refused(path, words, hint)
