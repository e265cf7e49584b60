"""What is served without a name: the installed bundle, else the embedded model's, which is built once."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from edgekit import __version__, pipeline
from edgekit.errors import ConfigError, EdgeKitError
from edgekit.phantom.embedded import embedded
from edgekit.progress import Progress, silent
from edgekit.serve import bundle as module
from edgekit.serve.bundle import bundle_that_is_here, bundle_to_serve, cache_folder
from tests import specs


class Building:
    """Stands for the build: notes what it was asked for, and writes a bundle there."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __call__(self, checkpoint: Path, target: Any, recipe: Any, out: Path, *, progress: Progress) -> None:
        self.calls.append((checkpoint, target.name, recipe.name, out, progress))
        if out.exists():
            shutil.rmtree(out)  # as sealing replaces what was there
        specs.manifest_alone(out)


@pytest.fixture
def building(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Building:
    building = Building()
    monkeypatch.setattr(pipeline, "build", building)
    monkeypatch.setattr(module, "INSTALLED", tmp_path / "opt" / "bundle")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return building


def test_the_installed_bundle_is_served_as_it_is(building: Building, tmp_path: Path) -> None:
    installed = tmp_path / "opt" / "bundle"
    installed.mkdir(parents=True)
    assert bundle_to_serve() == installed
    assert not building.calls


def test_else_the_embedded_models_is_built_once_for_this_user(building: Building, tmp_path: Path) -> None:
    path = bundle_to_serve()
    assert path.parent == tmp_path / "cache" / "edgekit"
    assert __version__ in path.name, "what another version has built is not this one's"
    assert building.calls == [(embedded(), "cpu", "q4", path, silent)]
    assert bundle_to_serve() == path
    assert len(building.calls) == 1


def test_nothing_is_built_where_it_is_asked_what_is_here(building: Building, tmp_path: Path) -> None:
    assert bundle_that_is_here() is None
    kept = bundle_to_serve()
    assert bundle_that_is_here() == kept
    (kept / "manifest.json").write_text("{")
    assert bundle_that_is_here() == kept, "a damaged one is what is asked about"
    (tmp_path / "opt" / "bundle").mkdir(parents=True)
    assert bundle_that_is_here() == tmp_path / "opt" / "bundle"
    assert len(building.calls) == 1


def test_a_damaged_one_is_built_again(building: Building) -> None:
    path = bundle_to_serve()
    (path / "manifest.json").write_text("{")
    assert bundle_to_serve() == path
    assert len(building.calls) == 2


def test_a_home_that_is_none_is_told_with_what_to_do(building: Building, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nonexistent")
    with pytest.raises(ConfigError, match="/proc/nonexistent/edgekit") as caught:
        bundle_to_serve()
    assert "edgekit serve BUNDLE" in caught.value.hint
    assert not building.calls


def test_its_building_is_shown(building: Building) -> None:
    def progress(done: int, total: int, text: str) -> None: ...

    shown: Any = progress
    bundle_to_serve(shown)
    assert building.calls[0][-1] is progress


def test_what_goes_wrong_in_the_build_is_told(building: Building, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*args: Any, **kwargs: Any) -> None:
        raise EdgeKitError("No space is left")

    monkeypatch.setattr(pipeline, "build", failing)
    with pytest.raises(EdgeKitError, match="No space"):
        bundle_to_serve()


@pytest.mark.parametrize(
    ("named", "expected"), [("/var/cache", "/var/cache/edgekit"), ("relative", None), ("", None), (None, None)]
)
def test_the_cache_lies_where_the_specification_has_it(
    named: str | None, expected: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if named is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", named)
    assert str(cache_folder()) == (expected or f"{tmp_path}/.cache/edgekit")
