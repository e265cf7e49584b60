"""The pictures that a model is trained on, against those of the scenes, drawn one by one."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.checkpoint.spec import ImageSpec
from edgekit.inputs.preprocess import preprocess
from edgekit.phantom import draw
from edgekit.phantom.split import SEEDS
from edgekit.tune import pictures as module
from edgekit.tune.pictures import pictures
from edgekit.tune.tower import prepare


def test_pictures_are_what_a_bundle_sees_in_the_order_of_their_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 2)
    counted: list[tuple[str, int, int]] = []
    scenes, drawn = pictures("validation", 5, 112, lambda *event: counted.append(event))
    assert [shown.seed for shown in scenes] == list(SEEDS["validation"][:5])
    assert counted == [("drawing validation", done, 5) for done in (2, 4, 5)]
    spec = ImageSpec(size=112, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), fit="stretch")
    expected = [preprocess(draw(shown).convert("RGB"), spec) for shown in scenes]
    np.testing.assert_allclose(prepare(drawn).numpy(), np.stack(expected), atol=1e-6)
