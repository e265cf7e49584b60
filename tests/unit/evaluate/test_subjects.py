"""Whom an evaluation asks: names that tell bundles apart, and builds that leave nothing behind."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgekit.errors import BundleError
from edgekit.evaluate import subjects
from edgekit.evaluate.subjects import Subject, built, bundles_at
from edgekit.recipe import recipe
from edgekit.runtime.model import Model
from edgekit.target import target
from tests.specs import manifest_alone


def test_each_has_its_folder_s_name_and_its_path_where_two_are_called_alike(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    paths = [manifest_alone(tmp_path / name).path for name in ("a", "b", "x/a")]
    asked = bundles_at(paths)
    assert asked.names == (str(paths[0]), "b", str(paths[2]))
    assert [(each.name, each.bundle.path) for each in asked] == list(zip(asked.names, paths, strict=True))
    assert [each.name for each in asked] == list(asked.names), "again"


def test_the_last_one_s_faults_show_before_the_first_one_s_work(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="none"):
        bundles_at([manifest_alone(tmp_path / "a").path, tmp_path / "none"])


def test_a_bundle_has_its_target_s_slots_unless_others_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[str, int]] = []
    monkeypatch.setattr(Model, "open", lambda path, slots: opened.append((path.name, slots)))
    one = Subject("one", manifest_alone(tmp_path / "a"))
    one.open(None)
    one.open(7)
    assert opened == [("a", target("cpu").slots), ("a", 7)]


def test_recipes_are_built_one_at_a_time_where_nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    built_at: list[Path] = []

    def build(checkpoint: Path, chosen: object, by: Any, out: Path) -> SimpleNamespace:
        assert not [path for path in built_at if path.exists()]
        built_at.append(out)
        return SimpleNamespace(bundle=manifest_alone(out, recipe=by))

    monkeypatch.setattr(subjects, "build", build)
    asked = built(Path("c"), [recipe("q8"), recipe("q4")], target("cpu"))
    assert (asked.names, built_at) == (("q8", "q4"), [])
    assert [(each.name, each.bundle.manifest.recipe.name) for each in asked] == [("q8", "q8"), ("q4", "q4")]
    assert len(built_at) == 2
    assert not list(tmp_path.iterdir())
