"""One user's own installation lies below the home, as the user's variables say."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.deploy.laptop.layout import home_layout
from edgekit.deploy.layout import Layout
from edgekit.errors import ConfigError


def test_it_lies_where_the_specification_has_it() -> None:
    layout = home_layout({"HOME": "/home/anna"})
    assert layout.releases == Path("/home/anna/.local/share/edgekit/releases")
    assert layout.state == Path("/home/anna/.local/share/edgekit/state")
    assert layout.data == Path("/home/anna/.local/state/edgekit")
    assert layout.configuration == Path("/home/anna/.config/edgekit")
    assert layout.unit == Path("/home/anna/.config/systemd/user/edgekit.service")
    assert layout.menu == Path("/home/anna/.local/share/applications/edgekit.desktop")
    assert layout.is_home
    assert not Layout().is_home
    assert (layout.place, Layout().place) == ("--user", "--prefix /opt/edgekit")


def test_variables_are_obeyed_where_they_are_absolute() -> None:
    environ = {"HOME": "/home/anna", "XDG_DATA_HOME": "/data/anna", "XDG_CONFIG_HOME": "conf", "XDG_STATE_HOME": ""}
    layout = home_layout(environ)
    assert str(layout.prefix) == "/data/anna/edgekit"
    assert layout.configuration == Path("/home/anna/.config/edgekit")
    assert layout.variables == {
        "XDG_DATA_HOME": "/data/anna",
        "XDG_CONFIG_HOME": "/home/anna/.config",
        "XDG_STATE_HOME": "/home/anna/.local/state",
    }
    assert home_layout(layout.variables) == layout, "as the units' commands are told"


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"HOME": "anna"},
        {"HOME": "/home/anna b"},
        {"HOME": "/home/anna", "XDG_STATE_HOME": "/s$x"},
        {"HOME": "/home/anna", "XDG_CONFIG_HOME": "/s'x"},
    ],
)
def test_a_home_that_can_not_stand_in_a_unit_is_refused(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        home_layout(environ)
