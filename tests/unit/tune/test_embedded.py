"""A small training run learns, repeats, and leaves a checkpoint."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgekit.checkpoint.open import open_checkpoint
from edgekit.phantom.embedded import NOTICE
from edgekit.tune.embedded import train_embedded
from edgekit.tune.schedule import Schedule
from edgekit.tune.training import Curriculum

SMALL = Curriculum(
    pictures=96,
    validation=8,
    questions=3,
    tower=Schedule(steps=40, batch=16, rate=1e-3),
    answers=Schedule(steps=25, batch=8, rate=1e-3),
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("made") / "small"
    train_embedded(folder, SMALL)
    return folder


def test_training_learns_and_leaves_a_checkpoint(trained: Path) -> None:
    log = json.loads((trained / "training.json").read_text())
    tower, answers = log["curve"]
    assert tower["loss"] < 4.0  # guessing costs ln 28 + ln 2 = 4.03
    assert answers["loss"] < 5.6  # guessing costs ln 512 = 6.24
    checkpoint = open_checkpoint(trained)
    assert checkpoint.spec.template.stop == ("<|im_end|>",)
    assert checkpoint.spec.intended_use == NOTICE
    assert checkpoint.spec.licence == "apache-2.0"
    assert "| answers | 25 |" in (trained / "README.md").read_text()


def test_the_same_seed_makes_the_same_model(trained: Path, tmp_path: Path) -> None:
    train_embedded(tmp_path / "again", SMALL)
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == (trained / "model.safetensors").read_bytes()
