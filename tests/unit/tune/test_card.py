"""The model card, against the one that lies beside the embedded model's weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.phantom.embedded import embedded
from edgekit.tune.card import write_card
from edgekit.tune.training import Training


def test_the_card_is_the_one_that_ships(training: Training, tmp_path: Path) -> None:
    write_card(tmp_path, training)
    assert (tmp_path / "README.md").read_text() == (embedded() / "README.md").read_text()


@pytest.mark.parametrize(("points", "rows"), [(1, 1), (8, 8), (9, 5), (17, 6), (40, 8)])
def test_of_a_long_run_few_points_are_shown_and_always_the_last(
    points: int, rows: int, training: Training, tmp_path: Path
) -> None:
    curve: list[dict[str, float | str]] = [
        {"stage": "answers", "step": step, "seconds": 60 * step, "loss": 0.5} for step in range(1, points + 1)
    ]
    write_card(tmp_path, replace(training, curve=tuple(curve)))
    lines = [line for line in (tmp_path / "README.md").read_text().splitlines() if line.startswith("| answers |")]
    assert len(lines) == rows
    assert lines[-1] == f"| answers | {points} | {points:.1f} | 0.500 |  |  |  |  |"
