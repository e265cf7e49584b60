"""First stage of the embedded model: the vision tower alone learns what lies in which zone.

Every patch on one side of the chest says, through a linear layer that is thrown away afterwards, which zone it belongs
to and which finding that zone holds, and whether the heart is enlarged. A tower that knows this makes the second stage
short: trained through the language model alone, it needs many times as long. It must say the zone together with the
finding: without, the language model knows what there is, and mistakes one side for the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from edgekit.phantom.scene import KINDS, SIDES, ZONES, Scene
from edgekit.tune.schedule import Schedule, minimise

# A zone holds nothing or one of the kinds that have a place.
_CLASSES = KINDS  # the heart's place in the list stands for "nothing"
_ZONES = len(SIDES) * len(ZONES)
_UPPER = 4 / 7  # of the picture's height: the zones meet a little below its middle


class TowerLabels(nn.Module):
    """Reads findings off the tower's patches, and says how wrong they are.

    ``zones``: the right class of each zone (right upper, right lower, left upper, left lower) of every scene,
    [scenes, 4]; ``hearts``: 1 for an enlarged one, [scenes].
    """

    def __init__(self, hidden: int, grid: int, scenes: Sequence[Scene]) -> None:
        super().__init__()
        self.zone = nn.Linear(hidden, _ZONES * len(_CLASSES))
        self.heart = nn.Linear(hidden, 2)
        self.patches = grid * grid
        self.patch_zones = zone_of_patch(grid)
        self.zones, self.hearts = labels(scenes)

    def loss(self, patches: Tensor, chosen: Tensor) -> Tensor:
        """Return the loss of the patches of the scenes ``chosen``, [batch, patches, hidden]."""
        seen = self.patch_zones >= 0
        zone, heart = self.zone(patches[:, seen]), self.heart(patches)
        wanted = self.zones[chosen][:, self.patch_zones[seen]] + len(_CLASSES) * self.patch_zones[seen]
        beats = self.hearts[chosen][:, None].expand(-1, self.patches)
        return functional.cross_entropy(zone.flatten(0, 1).float(), wanted.flatten()) + functional.cross_entropy(
            heart.flatten(0, 1).float(), beats.flatten()
        )

    def right(self, patches: Tensor, scenes: Sequence[Scene]) -> Tensor:
        """Say whether every zone and the heart are read rightly: [batch], of bool."""
        zones, hearts = labels(scenes)
        zone = self.zone(patches).unflatten(-1, (_ZONES, len(_CLASSES)))
        kinds = torch.stack(
            [zone[:, self.patch_zones == index, index].mean(1).argmax(-1) for index in range(_ZONES)], 1
        )
        return (kinds == zones).all(1) & (self.heart(patches).mean(1).argmax(-1) == hearts)


def labels(scenes: Sequence[Scene]) -> tuple[Tensor, Tensor]:
    """Return the right answers of :class:`TowerLabels`."""
    zones = [
        [
            _CLASSES.index(finding.kind) if (finding := scene.at(side, zone)) else 0
            for side in SIDES[::-1]
            for zone in ZONES
        ]
        for scene in scenes
    ]
    return torch.tensor(zones), torch.tensor([int(scene.find("heart") is not None) for scene in scenes])


def zone_of_patch(side: int) -> Tensor:
    """Say which zone each patch of a ``side`` × ``side`` grid belongs to, -1 for the middle: [patches]."""
    grid = torch.full((side, side), -1)
    half, upper = side // 2, round(_UPPER * side)
    for column, first in ((slice(0, half), 0), (slice(side - half, side), 2)):
        grid[:upper, column] = first
        grid[upper:, column] = first + 1
    return grid.flatten()


def prepare(pictures: NDArray[np.uint8] | Tensor) -> Tensor:
    """Turn grey pictures [batch, size, size] into what the tower reads: [batch, 3, size, size] from -1 to 1."""
    pixels = torch.as_tensor(pictures).float() / 127.5 - 1
    return pixels[:, None].expand(-1, 3, -1, -1)


def varied(pixels: Tensor, rng: torch.Generator) -> Tensor:
    """Vary exposures and places of the same pictures, so that drawing them anew is not needed."""
    count, _, size, _ = pixels.shape
    gain = 1 + 0.2 * (torch.rand(count, 1, 1, 1, generator=rng) - 0.5)
    offset = 0.2 * (torch.rand(count, 1, 1, 1, generator=rng) - 0.5)
    down, right = torch.randint(0, 9, (2,), generator=rng).tolist()
    moved = functional.pad(pixels, (4, 4, 4, 4), value=-1.0)[:, :, down : down + size, right : right + size]
    return (gain * moved + offset).clamp(-1, 1)


def features(tower: nn.Module, pixels: Tensor) -> Tensor:
    """Return what the projector reads: the last layer's output, before the closing norm: [batch, patches, hidden]."""
    states = tower(pixels.to(next(tower.parameters()).dtype), output_hidden_states=True).hidden_states[-1]
    assert isinstance(states, Tensor)
    return states


def train_tower(
    tower: nn.Module,
    labels: TowerLabels,
    pictures: NDArray[np.uint8],
    schedule: Schedule,
) -> Iterator[float]:
    """Train ``tower`` and what reads labels off it, in place; yields the loss of every step."""

    def losses(rng: torch.Generator) -> Iterator[Tensor]:
        while True:
            for chosen in torch.randperm(len(pictures), generator=rng).split(schedule.batch):
                pixels = varied(prepare(pictures[chosen.numpy()]), rng)
                yield labels.loss(features(tower, pixels), chosen)

    return minimise({tower: 1.0, labels: 1.0}, losses, schedule)


@torch.no_grad()
def label_accuracy(
    tower: nn.Module, labels: TowerLabels, scenes: Sequence[Scene], pictures: NDArray[np.uint8]
) -> float:
    """Return the share of scenes of which every zone and the heart are read rightly."""
    right = 0
    for start in range(0, len(scenes), 100):
        patches = features(tower, prepare(pictures[start : start + 100]))
        right += int(labels.right(patches, scenes[start : start + 100]).sum())
    return right / len(scenes)
