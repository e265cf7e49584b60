"""Promises of 1, 2, 5 and 10 % about phantoms made hard: of 6,000 questions, in 200 random splits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from edgekit.confidence.promises import ERRORS
from edgekit.runtime.model import Model
from tests.embedded_bundles import EmbeddedBundles
from tests.splits import corrupted, hard_answers, promised

pytestmark = pytest.mark.long


def test_every_promise_holds_in_at_least_95_of_100_splits(
    embedded_as: EmbeddedBundles, record_property: Callable[[str, object], None]
) -> None:
    with Model.open(embedded_as("q4").path, 8) as model:
        hard = hard_answers(model, 6000)
    assert max(ERRORS) < hard.error < 0.4
    kept = promised(hard)
    record_property("wrong answers", f"{hard.error:.1%}")
    for error in ERRORS:
        made, broken = kept[error].coverages, kept[error].broken
        coverage = f"{np.mean(made):.0%} given" if made else "none given"
        record_property(f"at most {error:.0%}", f"promised in {len(made)} splits, broken in {broken}, {coverage}")
        assert broken <= 10
        assert made
        assert min(made) > 0
    assert all(len(each.coverages) <= 10 for each in promised(corrupted(hard)).values())
