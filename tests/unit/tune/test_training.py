"""Training itself: labels, schedule, and that a small run learns, repeats, and leaves a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from edgekit.checkpoint.open import open_checkpoint
from edgekit.checkpoint.spec import ImageSpec
from edgekit.inputs.preprocess import preprocess
from edgekit.phantom import Finding, Scene, draw, scene
from edgekit.phantom.embedded import NOTICE
from edgekit.tune import schedule
from edgekit.tune.embedded import Curriculum, train_embedded
from edgekit.tune.pictures import pictures
from edgekit.tune.schedule import Schedule, minimise
from edgekit.tune.tower import TowerLabels, labels, prepare, varied, zone_of_patch

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


def test_labels_say_what_lies_where() -> None:
    shown = Scene(0, (Finding("heart"), Finding("nodule", "left", "lower"), Finding("pacemaker", "right", "upper")))
    zones, hearts = labels([shown, Scene(1, ())])
    assert zones.tolist() == [[5, 0, 0, 1], [0, 0, 0, 0]]  # right upper, right lower, left upper, left lower
    assert hearts.tolist() == [1, 0]


def test_zones_lie_as_a_radiograph_is_read() -> None:
    grid = zone_of_patch(7).view(7, 7)
    assert grid[0, 0] == 0  # the patient's right is on the left of the picture
    assert grid[6, 0] == 1
    assert grid[0, 6] == 2
    assert grid[6, 6] == 3
    assert (grid[:, 3] == -1).all()


def test_perfect_labels_cost_nothing_and_are_right() -> None:
    scenes = [scene(seed) for seed in range(20)]
    tower_labels = TowerLabels(30, 7, scenes)
    zones, hearts = labels(scenes)
    patches = torch.zeros(20, 49, 30)
    for patch, zone in enumerate(zone_of_patch(7).tolist()):
        if zone >= 0:
            patches[torch.arange(20), patch, 7 * zone + zones[:, zone]] = 50
    patches[torch.arange(20), :, 28 + hearts] = 50
    with torch.no_grad():
        tower_labels.zone.weight.copy_(torch.eye(28, 30))
        tower_labels.heart.weight.copy_(torch.eye(30)[28:])
        tower_labels.zone.bias.zero_()
        tower_labels.heart.bias.zero_()
        assert float(tower_labels.loss(patches, torch.arange(20))) < 1e-6
        assert tower_labels.right(patches, scenes).all()
        assert not tower_labels.right(patches.roll(1, 0), scenes).all()


def test_pictures_are_what_a_bundle_sees() -> None:
    scenes, drawn = pictures("train", 3, 112)
    spec = ImageSpec(size=112, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), fit="stretch")
    expected = [preprocess(draw(one).convert("RGB"), spec) for one in scenes]
    np.testing.assert_allclose(prepare(drawn).numpy(), np.stack(expected), atol=1e-6)


def test_variations_stay_pictures() -> None:
    pixels = prepare(np.random.default_rng(0).integers(0, 256, (4, 112, 112), np.uint8))
    other = varied(pixels, torch.Generator().manual_seed(0))
    assert other.shape == pixels.shape
    assert float(other.abs().max()) <= 1
    assert not torch.equal(other, pixels)


def test_a_schedule_rises_and_falls() -> None:
    schedule = Schedule(steps=100, batch=1, rate=1.0, warmup=0.1)
    factors = [schedule.factor(step) for step in range(100)]
    assert max(factors) == 1
    assert factors[:10] == sorted(factors[:10])
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert factors[-1] < 0.01


@pytest.mark.parametrize("steps", [1, 7, 25])
def test_a_short_schedule_never_learns_faster_than_its_rate(steps: int) -> None:
    factors = [Schedule(steps=steps, batch=1, rate=1.0).factor(step) for step in range(steps)]
    assert max(factors) == 1
    assert min(factors) > 0


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_minimise_goes_down_and_gives_float32_back(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the processor has kernels for."""
    monkeypatch.setattr(schedule, "weight_type", lambda: dtype)
    layer = torch.nn.Linear(2, 1, bias=False)
    layer.weight.data.copy_(torch.tensor([[3.0, -2.0]]))

    def losses(rng: torch.Generator) -> Iterator[torch.Tensor]:
        while True:
            assert layer.weight.dtype == dtype
            yield layer.weight.float().pow(2).sum()

    seen = list(minimise({layer: 1.0}, losses, Schedule(steps=200, batch=1, rate=0.1)))
    assert seen[-1] < 0.05 < seen[0]
    assert layer.weight.dtype == torch.float32
