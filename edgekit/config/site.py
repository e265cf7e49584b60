"""What a site lays over what ships, and what its service keeps: the files of one folder.

budgets/NAME.toml   limits of target NAME, keys as in its [budget]: those named here count instead
engines.toml        coefficients of plans, as `edgekit plan --fit` writes them
serve.toml          the service's names, proxies and limits
tokens.toml         the service's API tokens, as `edgekit token` writes them
tls/                its certificates, as `edgekit tls make` writes them

The folder is the one that EDGEKIT_SITE names; else /etc/edgekit, where that exists or root asks; else
$XDG_CONFIG_HOME/edgekit (~/.config/edgekit without it): who tries a service at his desk needs no root.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edgekit.errors import ConfigError
from edgekit.files import give_to_owner_of_folder, open_private, writing

_SYSTEM = Path("/etc/edgekit")


def site_folder() -> Path:
    """Return the folder of this site's settings, whether it exists or not."""
    if named := os.environ.get("EDGEKIT_SITE"):
        return Path(named)
    if os.geteuid() == 0 or _SYSTEM.is_dir():
        return _SYSTEM
    home = os.environ.get(
        "XDG_CONFIG_HOME", ""
    )  # XDG Base Directory Specification: one that is not absolute is ignored
    if os.path.isabs(home):
        return Path(home) / "edgekit"
    try:
        return Path.home() / ".config" / "edgekit"
    except RuntimeError:  # a user whom the system doesn't know, without HOME
        return _SYSTEM


def site_file(name: str) -> Path | None:
    """Return a site's file by its name below the folder; None where there is none.

    :class:`ConfigError` where others may not look into the folder: it is the installed service's.
    """
    path = site_folder() / name
    try:
        return path if path.exists() else None
    except PermissionError:
        message = f"Only root and the service's user may look into {path.parent}"
        raise ConfigError(message, "Run it with sudo, or name another folder as EDGEKIT_SITE.") from None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time read ``path`` and replace it; the others wait. Its folder is made where it is missing.

    What is replaced can't carry the lock itself: ".NAME.lock" beside it does, and stays. It is private: whoever can
    open a file can hold its lock for ever.
    """
    with writing(path):
        _make_folder(path.parent)
        lock = open_private(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
    try:
        with writing(path):
            give_to_owner_of_folder(lock, path.parent)
        with suppress(OSError):  # this file system has no locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _make_folder(folder: Path) -> None:
    """Make a folder and those above, each of them its upper one's owner's, as what is written in them is."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        give_to_owner_of_folder(descriptor, folder.parent)
    finally:
        os.close(descriptor)
