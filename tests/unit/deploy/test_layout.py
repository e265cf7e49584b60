"""Where an installation lies, on the device and below another root."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from edgekit.config import state
from edgekit.deploy.layout import BUNDLE, Layout
from edgekit.errors import ConfigError
from edgekit.serve import bundle as served

ONE, OTHER = "1" * 64, "2" * 64


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path)
    layout.releases.mkdir(parents=True)
    return layout


def test_the_service_looks_where_an_installation_lies() -> None:
    assert Layout().current / BUNDLE == served.INSTALLED
    assert Layout().data == state._SYSTEM


def test_a_root_stands_before_every_path_of_the_device(tmp_path: Path) -> None:
    here, there = Layout(tmp_path, PurePosixPath("/data/edgekit")), Layout(prefix=PurePosixPath("/data/edgekit"))
    properties = [name for name, value in vars(Layout).items() if isinstance(value, property)]
    names = [name for name in properties if isinstance(getattr(there, name), Path)]
    assert len(names) == 11
    for name in names:
        path = getattr(there, name)
        assert path.is_absolute()
        assert getattr(here, name) == tmp_path / path.relative_to("/")
    assert here.release(ONE) == tmp_path / "data/edgekit/releases" / ONE
    assert here.partial(ONE).parent == here.release(ONE).parent
    assert here.at("/dev/nvmap") == tmp_path / "dev/nvmap"


@pytest.mark.parametrize("prefix", ["opt/edgekit", "/", "/opt/../etc", "/opt/edge kit", "/opt/%i", "/opt/a\nb"])
def test_a_prefix_that_a_unit_could_not_name_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigError, match="can't be the folder") as caught:
        Layout(prefix=PurePosixPath(prefix))
    assert "--prefix" in caught.value.hint


def test_the_running_release_is_what_the_link_names(layout: Layout) -> None:
    assert layout.running() is None
    layout.current.symlink_to(f"releases/{ONE}")
    assert layout.running() == ONE, "whether it is there or not"


@pytest.mark.parametrize("target", [f"/opt/edgekit/releases/{ONE}", "releases/mine", "elsewhere"])
def test_a_link_that_leads_elsewhere_is_told(layout: Layout, target: str) -> None:
    layout.current.symlink_to(target)
    with pytest.raises(ConfigError, match="is no release"):
        layout.running()


def test_what_is_no_link_is_told(layout: Layout) -> None:
    layout.current.mkdir()
    with pytest.raises(ConfigError, match="is no link"):
        layout.running()


def test_releases_that_are_being_written_are_not_there_yet(layout: Layout) -> None:
    for folder in (layout.release(OTHER), layout.release(ONE), layout.partial("3" * 64), layout.releases / "notes"):
        folder.mkdir()
    assert layout.identities() == (ONE, OTHER)


def test_nothing_is_there_before_the_first_release(tmp_path: Path) -> None:
    assert Layout(tmp_path).identities() == ()
