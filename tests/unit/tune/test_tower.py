"""The tower's labels, and its pictures' variations in training."""

from __future__ import annotations

import numpy as np
import torch

from edgekit.phantom import Finding, Scene, scene
from edgekit.tune.tower import TowerLabels, labels, prepare, varied, zone_of_patch


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


def test_variations_stay_pictures() -> None:
    pixels = prepare(np.random.default_rng(0).integers(0, 256, (4, 112, 112), np.uint8))
    other = varied(pixels, torch.Generator().manual_seed(0))
    assert other.shape == pixels.shape
    assert float(other.abs().max()) <= 1
    assert not torch.equal(other, pixels)
