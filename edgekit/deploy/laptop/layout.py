"""Where an installation of one user's own lies: by the XDG Base Directory Specification, below the user's home.

```
$XDG_DATA_HOME/edgekit/          releases, current, added, state: as of an installation of root's
$XDG_DATA_HOME/applications/     the entry in the desktop's menu; icons/: its picture
$XDG_CONFIG_HOME/edgekit/        the configuration, with edgekit.env: the port
$XDG_CONFIG_HOME/systemd/user/   the units
$XDG_STATE_HOME/edgekit/         what the service keeps
```
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import ClassVar

from edgekit.deploy.layout import Layout
from edgekit.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class HomeLayout(Layout):
    """Where it lies; ``data_home``, ``config_home`` and ``state_home`` are the user's folders. Errors as of
    :class:`Layout`."""

    data_home: PurePosixPath
    config_home: PurePosixPath
    state_home: PurePosixPath
    is_home: ClassVar[bool] = True

    @property
    def data(self) -> Path:
        """The folder of what the service keeps."""
        return self.at(self.state_home / "edgekit")

    @property
    def configuration(self) -> Path:
        """The folder of the service's configuration."""
        return self.at(self.config_home / "edgekit")

    @property
    def environment(self) -> Path:
        """Where the service listens: its port."""
        return self.configuration / "edgekit.env"

    @property
    def unit(self) -> Path:
        """The service's unit."""
        return self.at(self.config_home / "systemd/user/edgekit.service")

    @property
    def menu(self) -> Path:
        """The entry in the desktop's menu."""
        return self.at(self.data_home / "applications/edgekit.desktop")

    @property
    def icon(self) -> Path:
        """Its picture."""
        return self.at(self.data_home / "icons/hicolor/scalable/apps/edgekit.svg")

    @property
    def belongings(self) -> tuple[Path, ...]:
        """What else an installation writes."""
        return (self.menu, self.icon)

    @property
    def folders(self) -> dict[str, str]:
        """The variables by which EdgeKit's own processes find both folders: a machine that has a service of its own
        has others, which are closed to this user."""
        return {"EDGEKIT_SITE": str(self.configuration), "EDGEKIT_STATE": str(self.data)}

    @property
    def variables(self) -> dict[str, str]:
        """The user's folders as programs are told of them: a user's systemd does not know what a shell's profile
        says."""
        homes = {"DATA": self.data_home, "CONFIG": self.config_home, "STATE": self.state_home}
        return {f"XDG_{name}_HOME": str(path) for name, path in homes.items()}


def home_layout(environ: Mapping[str, str] = os.environ) -> HomeLayout:
    """Return where an installation of this user's lies.

    :class:`ConfigError` where no home is known, or its name can't stand in a unit.
    """
    data, config, state = (
        _folder(environ, name, usual)
        for name, usual in (
            ("XDG_DATA_HOME", ".local/share"),
            ("XDG_CONFIG_HOME", ".config"),
            ("XDG_STATE_HOME", ".local/state"),
        )
    )
    for path in (config, state):  # of the third, Layout looks itself
        Layout(prefix=path / "edgekit")
    return HomeLayout(prefix=data / "edgekit", data_home=data, config_home=config, state_home=state)


def _folder(environ: Mapping[str, str], name: str, usual: str) -> PurePosixPath:
    """A folder of the user's; a variable that is not absolute is ignored, as the specification wants it."""
    named = environ.get(name, "")
    if named.startswith("/"):
        return PurePosixPath(named)
    home = environ.get("HOME", "")
    if not home.startswith("/"):
        raise ConfigError("HOME names no folder", "Sign in as the user whose service it is to be.")
    return PurePosixPath(home) / usual
