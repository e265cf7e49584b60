"""What is planned where nothing is said, and by names; a bundle keeps its recipe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.errors import ConfigError
from edgekit.phantom.embedded import embedded
from edgekit.pipeline import build
from edgekit.plan.asked import asked, is_bundle
from edgekit.recipe import recipe
from edgekit.target import target
from tests.checkpoints import write_checkpoint


def test_a_checkpoint_is_planned_for_any_processor_by_q4() -> None:
    wanted = asked(embedded(), None, None, None)
    assert (wanted.target.name, wanted.recipe.name) == ("cpu", "q4")
    named = asked(embedded(), None, "orin", "q8")
    assert (named.target.name, named.recipe.name) == ("orin", "q8")
    with pytest.raises(ConfigError):
        asked(embedded(), None, "orion", None)


def test_what_a_build_of_it_would_note_is_there_for_a_checkpoint_alone(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "checkpoint", "hf", "mistral", text={"sliding_window": 192})
    assert any("window" in note for note in asked(tmp_path / "checkpoint", None, None, None).notes)
    chosen = replace(target("cpu"), context=128, slots=1)
    path = build(tmp_path / "checkpoint", chosen, recipe("q8"), tmp_path / "bundle").bundle.path
    assert is_bundle(path)
    wanted = asked(path, None, None, None)
    assert (wanted.recipe.name, wanted.target.context, wanted.notes) == ("q8", 128, ())
