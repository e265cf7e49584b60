"""Hard phantoms: the same for the same seed, and some harder than others."""

from __future__ import annotations

import numpy as np

from edgekit.evaluate.phantoms import questions
from edgekit.inputs.images import Picture
from edgekit.phantom import draw, scene
from tests.hard_phantoms import hard_set, hardened


def test_a_seed_makes_a_picture_as_hard_every_time() -> None:
    picture = draw(scene(11_000_000))
    assert hardened(picture, 3).tobytes() == hardened(picture, 3).tobytes()
    assert hardened(picture, 3).tobytes() != hardened(picture, 4).tobytes()
    assert hardened(picture, 3).size == picture.size


def test_all_are_harder_and_some_harder_than_others() -> None:
    picture = draw(scene(11_000_000))
    plain = np.asarray(picture, np.float32)
    off = [float(np.abs(np.asarray(hardened(picture, seed), np.float32) - plain).mean()) for seed in range(40)]
    assert 20 < min(off) < max(off) / 1.3
    assert max(off) < 100


def test_questions_stay_and_pictures_are_made_hard() -> None:
    asked = questions(7)
    hard = hard_set(asked)
    assert [item.question for item in hard.dataset.items] == [each.question.text for each in asked]
    row = hard.rows[0]
    shown = asked[0].scene
    assert hard.pictures.picture(row, 0) == Picture.of(hardened(draw(shown), shown.seed))
    assert hard.pictures.digests(row) == [hard.pictures.picture(row, 0).digest]
