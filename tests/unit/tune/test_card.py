"""The model card, against the one that lies beside the embedded model's weights."""

from __future__ import annotations

from pathlib import Path

from edgekit.phantom.embedded import embedded
from edgekit.tune.card import write_card
from edgekit.tune.training import Training


def test_the_card_is_the_one_that_ships(training: Training, tmp_path: Path) -> None:
    write_card(tmp_path, training)
    assert (tmp_path / "README.md").read_text() == (embedded() / "README.md").read_text()
