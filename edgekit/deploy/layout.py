"""Where an installation lies: its releases, which of them is current, its state, the unit, the service's data.

Everything that installs, looks at or removes a service asks here. Paths are the device's; below another root than "/"
(an image's tree, a test's folder) they are seen from here with that root in front.

```
PREFIX/releases/ID/            bundle/ site/ system/ release.json: never changed once it is there
PREFIX/current                 a relative link: releases/ID
PREFIX/added/                  engines and profiles made here, by their bundles' digests
PREFIX/state/                  the journal, a trial, what was committed, releases that failed, engines that are
                               believed, the nightly check's word
/var/lib/edgekit/              what the service keeps: accounts, conversations
/etc/edgekit/                  its configuration, with tokens and keys: the service's own
/etc/default/edgekit           where it listens: root's
```
"""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import ClassVar

from edgekit.errors import ConfigError

PREFIX = PurePosixPath("/opt/edgekit")
CONFIGURATION, ENVIRONMENT = "/etc/edgekit", "/etc/default/edgekit"
CHECKED = "checked"
BUNDLE, SITE, SYSTEM, RECORD = "bundle", "site", "system", "release.json"
"""What a release's folder holds: the bundle, the code with what it needs, links to packages of the system's, the record
that names all of it."""

_PREFIX_IN = {
    "edgekit.service": r"^BindReadOnlyPaths=(/\S+)/current:",
    "edgekit-commit.service": r"^ExecStart=.* --prefix (/\S+)$",
}
_IDENTITY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Layout:
    """Where an installation lies.

    - ``root``: the root file system that it lies in, as seen from here
    - ``prefix``: the folder of its releases, absolute on the device

    All properties are paths as seen from here. :class:`ConfigError` where ``prefix`` is no such path.
    """

    root: Path = Path("/")
    prefix: PurePosixPath = PREFIX
    is_home: ClassVar[bool] = False
    """Whether it is one user's own, without root."""

    def __post_init__(self) -> None:
        parts = self.prefix.parts
        if not self.prefix.is_absolute() or len(parts) < 2 or ".." in parts or not _is_plain(str(self.prefix)):
            raise ConfigError(
                f"{str(self.prefix)!r} can't be the folder of an installation",
                "Give an absolute path of letters, digits and . _ - + as --prefix, such as /data/edgekit.",
            )

    def at(self, path: PurePosixPath | str) -> Path:
        """Return a path of the device as it is seen from here."""
        return self.root / str(path).lstrip("/")

    def release(self, identity: str) -> Path:
        """Return the folder of a release, whether it is there or not."""
        return self.releases / identity

    def partial(self, identity: str) -> Path:
        """Return the folder in which a release is written before it is renamed to :meth:`release`."""
        return self.releases / f".{identity}.partial"

    def running(self) -> str | None:
        """Return the ID of the release that ``current`` names; None where there is no such link.

        :class:`ConfigError` where it is no link, or leads anywhere else.
        """
        try:
            folder, _, identity = os.readlink(self.current).partition("/")
        except FileNotFoundError:
            return None
        except OSError as error:
            what = "is no link" if error.errno == errno.EINVAL else f"can't be read: {error.strerror}"
            raise ConfigError(f"{self.current} {what}", "Look what lies there, and move it away.") from error
        if folder != self.releases.name or not _IDENTITY.fullmatch(identity):
            message = f"{self.current} leads to {os.readlink(self.current)!r}, which is no release"
            raise ConfigError(message, "Remove that link, then install again.")
        return identity

    def identities(self) -> tuple[str, ...]:
        """List the IDs of the releases that are there whole, in their order."""
        try:
            names = os.listdir(self.releases)
        except FileNotFoundError:
            return ()
        return tuple(sorted(name for name in names if _IDENTITY.fullmatch(name)))

    @property
    def releases(self) -> Path:
        """The folder of the releases."""
        return self.at(self.prefix / "releases")

    @property
    def current(self) -> Path:
        """The link that names the release which a start of the service takes."""
        return self.at(self.prefix / "current")

    @property
    def added(self) -> Path:
        """The folder of what this machine adds to bundles. It is root's: the service can't change what is believed."""
        return self.at(self.prefix / "added")

    @property
    def state(self) -> Path:
        """The folder of what is noted about releases."""
        return self.at(self.prefix / "state")

    @property
    def checked(self) -> Path:
        """What the nightly check said: root's, for the service to read."""
        return self.state / CHECKED

    @property
    def data(self) -> Path:
        """The folder of what the service keeps, as :mod:`edgekit.config.state` has it for a service."""
        return self.at("/var/lib/edgekit")

    @property
    def configuration(self) -> Path:
        """The folder of the service's configuration."""
        return self.at(CONFIGURATION)

    @property
    def environment(self) -> Path:
        """Where the service listens: root's, who reads it for every start."""
        return self.at(ENVIRONMENT)

    @property
    def unit(self) -> Path:
        """The service's unit."""
        return self.at("/etc/systemd/system/edgekit.service")

    @property
    def rollback_unit(self) -> Path:
        """The unit that goes back to the release before, where one on trial fails."""
        return self.at("/etc/systemd/system/edgekit-rollback.service")

    @property
    def sysusers(self) -> Path:
        """What names the service's user to sysusers.d(5)."""
        return self.at("/etc/sysusers.d/edgekit.conf")

    @property
    def belongings(self) -> tuple[Path, ...]:
        """What else an installation writes, beside its units and its folders."""
        return (self.sysusers,)

    @property
    def variables(self) -> dict[str, str]:
        """What a command of its units has to be told of it by its environment."""
        return {}

    @property
    def place(self) -> str:
        """The options by which a command of its units finds it."""
        return "--user" if self.is_home else f"--prefix {self.prefix}"


def installed_prefix(root: Path) -> PurePosixPath | None:
    """Return the prefix that the units in a root file system name; None where there are none of ours."""
    for name, form in _PREFIX_IN.items():
        try:
            text = (root / "etc/systemd/system" / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if told := re.search(form, text, re.MULTILINE):
            return PurePosixPath(told[1])
    return None


def _is_plain(path: str) -> bool:
    """Whether a path can stand in a unit and in a link as it is, without a quote or an escape."""
    return re.fullmatch(r"[A-Za-z0-9/._+-]+", path) is not None
