"""What differs in the service's unit from machine to machine, beside its target and its device files."""

from __future__ import annotations

import math
import os
import re
import stat
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Final

from edgekit.deploy.layout import Layout
from edgekit.errors import ConfigError
from edgekit.target import Target
from edgekit.units import GIB, MIB

PYTHON: Final = PurePosixPath("/usr/bin/python3")
SYSTEM_BYTES: Final = GIB
"""What the system keeps of the host's memory, where its GPU has a memory of its own."""
_GRAIN_BYTES: Final = 256 * MIB
"""What is counted of a machine's memory: another kernel keeps some MiB more, which is nothing to tell systemd."""
_OWN_FOLDERS: Final = ("/etc/edgekit", "/var/lib/edgekit")
_LIBRARIES: Final = tuple(
    f"{folder}/systemd/libsystemd-shared-*.so" for folder in ("lib", "usr/lib", "usr/lib/*", "usr/lib64")
)
_CLOSE_S: Final = 15
"""What ending takes beside the grace time: closing connections, the store and the children."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A machine, as its unit has to know it.

    - ``memory_bytes``: the machine's, all of it; None where it is not known, of an image's tree say
    - ``python``: the interpreter that releases are made for, absolute
    - ``grace_s``: seconds that answers get when the service is told to stop, of the site's ``serve.toml``
    - ``systemd``: the version of its systemd; None: of the one in the root file system that is installed into
    - ``certificate`` and ``certificate_key``: the hospital's own, in PEM; both or neither
    - ``ward_key``: the master key of what is kept, where the site keeps it itself

    The last three are handed over by systemd, which reads them as root: they can be root's alone.
    :class:`ConfigError` where they lie in a folder of the service's own, or a value can't stand in a unit.
    """

    memory_bytes: int | None
    python: PurePosixPath = PYTHON
    grace_s: float = 30.0
    systemd: int | None = None
    certificate: PurePosixPath | None = None
    certificate_key: PurePosixPath | None = None
    ward_key: PurePosixPath | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.certificate_key is None):
            raise ConfigError("A certificate and its key belong together", "Give both, or neither.")
        for path in (self.python, *self.credentials.values()):
            _require_plain(path)
        for path in self.credentials.values():
            _require_roots(path)

    @property
    def credentials(self) -> dict[str, PurePosixPath]:
        """What systemd hands over, by the name under which the service finds it."""
        named = {"tls.crt": self.certificate, "tls.key": self.certificate_key, "ward.key": self.ward_key}
        return {name: path for name, path in named.items() if path is not None}

    @property
    def stop_s(self) -> int:
        """Seconds that a stop may take."""
        return math.ceil(self.grace_s) + _CLOSE_S

    def host_bytes(self, target: Target) -> int | None:
        """Return the most memory of the host's that the service may hold on this machine, half of it at least; None
        where the machine's is not known.

        Where CPU and GPU have one memory, control groups do not count what the GPU holds: that is the arena's to bound,
        and the target's budget is taken off here. Mapped weights count, and are given back when memory is short.
        """
        if self.memory_bytes is None:
            return None
        reserved = target.reserved_bytes if target.unified else SYSTEM_BYTES
        memory_bytes = self.memory_bytes // _GRAIN_BYTES * _GRAIN_BYTES
        gpu = (target.budget.dynamic_bytes or 0) if target.unified and target.kind.on_gpu else 0
        return max(memory_bytes - reserved - gpu, memory_bytes // 2)


CREDENTIALS: Final = PurePosixPath("/etc/credstore")
"""Where a site lays what root alone shall read; the folder in which newer systemds look by themselves."""


_CERTIFICATE, _CERTIFICATE_KEY, _WARD_KEY = "edgekit.tls.crt", "edgekit.tls.key", "edgekit.ward.key"


def with_credentials(settings: Settings, layout: Layout) -> Settings:
    """Return ``settings`` with the credentials that a site laid into :data:`CREDENTIALS`, as far as this process can
    see them.

    They stand in the unit only where they are there: a systemd before 250 starts nothing whose credential is missing.
    :class:`ConfigError` for a link that leads nowhere, and what is no file.
    """

    def there(file: str) -> PurePosixPath | None:
        return CREDENTIALS / file if _is_there(layout, file) else None

    return replace(
        settings, certificate=there(_CERTIFICATE), certificate_key=there(_CERTIFICATE_KEY), ward_key=there(_WARD_KEY)
    )


def hidden_credentials(layout: Layout) -> bool:
    """Whether it is root's alone to see which credentials are there."""
    return any(_is_there(layout, file) is None for file in (_CERTIFICATE, _CERTIFICATE_KEY, _WARD_KEY))


def _is_there(layout: Layout, file: str) -> bool | None:
    """Whether a credential is there; None where only root can tell."""
    path = layout.at(CREDENTIALS / file)
    try:
        if stat.S_ISREG(os.stat(path).st_mode):
            return True
    except PermissionError:
        return None
    except OSError as error:
        if not path.is_symlink():
            if isinstance(error, FileNotFoundError | NotADirectoryError):
                return False
            raise ConfigError(f"{path} can't be looked at: {error.strerror}", "See what is wrong there.") from error
    raise ConfigError(f"{path} is no file, nor a link that leads to one", "Lay the file itself there, or remove that.")


def systemd_version(root: Path) -> int:
    """Return the version of the systemd in a root file system, by the name of its library; 0 where there is none."""
    names = (path.name for pattern in _LIBRARIES for path in root.glob(pattern))
    return max((int(match[1]) for name in names if (match := re.search(r"-shared-(\d+)", name))), default=0)


def _require_plain(path: PurePosixPath) -> None:
    if not re.fullmatch(r"/[A-Za-z0-9/._+-]+", str(path)) or ".." in path.parts:
        raise ConfigError(
            f"{str(path)!r} can't stand in a unit", "Give an absolute path of letters, digits and . _ - +."
        )


def _require_roots(path: PurePosixPath) -> None:
    """Refuse a path whose last steps the service could turn elsewhere: systemd follows it as root."""
    if any(path.is_relative_to(folder) for folder in _OWN_FOLDERS):
        raise ConfigError(
            f"{path} lies where the service itself may write", "Keep it in a folder that is root's: /etc/credstore."
        )
