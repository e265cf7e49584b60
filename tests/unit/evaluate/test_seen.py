"""What the embedded model makes of a set's pictures: each is looked at once, and another kind of picture is unlike."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from edgekit.batch.rows import Row
from edgekit.errors import InputError
from edgekit.evaluate.asking import QuestionSet
from edgekit.evaluate.phantom_set import phantom_set
from edgekit.evaluate.phantoms import questions
from edgekit.evaluate.seen import seen_pictures
from edgekit.inputs.images import Picture
from tests.embedded_bundles import EmbeddedBundles


class Noise:
    """Pictures drawn by their numbers, of which the first can't be read; counts how often each is."""

    def __init__(self) -> None:
        self.read: Counter[str] = Counter()

    def digests(self, row: Row) -> list[str]:
        return [self.picture(row, 0).digest]

    def picture(self, row: Row, number: int) -> Picture:
        name = row.images[number]
        self.read[name] += 1
        if name.endswith("00"):
            raise InputError("no picture")
        random = np.random.default_rng(int(name[-4:]))
        return Picture.of(Image.fromarray(random.integers(0, 255, (32, 32), np.uint8)))


def noise(count: int) -> tuple[QuestionSet, Noise]:
    drawn = Noise()
    return replace(phantom_set(questions(count)), pictures=drawn), drawn


def test_each_picture_is_looked_at_once_and_one_that_is_none_is_passed_over(embedded_as: EmbeddedBundles) -> None:
    asked, drawn = noise(630)
    told: list[int] = []
    known = seen_pictures(embedded_as("q4").path, asked, lambda _, done, total: told.append(total - done))
    assert known is not None
    assert set(drawn.read.values()) == {1}
    assert len(drawn.read) == 105
    assert known.count == sum(not name.endswith("00") for name in drawn.read)
    assert told == list(range(104, -1, -1))


@pytest.mark.parametrize("count", [6, 60])
def test_of_few_pictures_nothing_is_said(count: int, embedded_as: EmbeddedBundles) -> None:
    assert seen_pictures(embedded_as("q4").path, noise(count)[0]) is None
