"""A step that gives the configuration to the service's user: the service makes its keys there, and reads the tokens and
certificates that root made before there was that user.

What root does in a folder of somebody else's has to mind links: each file is opened beneath the folder itself, and what
was opened is given.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from edgekit.config.state import flush_folder
from edgekit.deploy.journal import make_folder
from edgekit.deploy.steps import Hands, Step
from edgekit.errors import ConfigError
from edgekit.files import writing

_MODE = 0o750
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class HandOver(Step):
    """Make a folder (``path`` on the device) its ``user``'s, with all that lies in it; others can't look into it.

    Links are not followed, and a file of several names stays whose it is: it may be another's elsewhere. What came of
    it has a "note" that names those. Undoing leaves all as it is, as the user stays, too.
    """

    path: str
    user: str
    title: ClassVar[str] = "Give the configuration to the service's user"

    def show(self, hands: Hands) -> str:
        return f"chown {self.user}:{self.user}, chmod 0750 {hands.layout.at(self.path)}, and what lies in it"

    def do(self, hands: Hands) -> Any:
        folder = hands.layout.at(self.path)
        user, group = hands.services.ids(self.user)
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise ConfigError(f"{folder} is no folder", "Move away what lies there; move the folder itself there.")
        make_folder(folder)
        with writing(folder):
            left = list(_give(folder, user, group))
            flush_folder(folder)
        return {"note": f"Of several names, and left to whom they belong: {', '.join(left)}"} if left else None


def _give(top: Path, user: int, group: int) -> Iterator[str]:
    """Give a folder and what lies in it; yield the files of several names, which are not given."""
    for above, _, files, descriptor in os.fwalk(top):
        for name in files:
            if not _give_file(name, descriptor, user, group):
                yield str(Path(above, name))
        if Path(above) == top:
            os.fchmod(descriptor, _MODE)
        os.fchown(descriptor, user, group)


def _give_file(name: str, folder: int, user: int, group: int) -> bool:
    """Give a file by its name in an open folder; whether it may be. Of links and pipes nothing is given."""
    try:
        if not stat.S_ISREG(os.lstat(name, dir_fd=folder).st_mode):
            return True
        file = os.open(name, _FILE, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP):  # the service runs, and replaced it just now
            return True
        raise
    try:
        there = os.fstat(file)
        if not stat.S_ISREG(there.st_mode) or there.st_nlink != 1:
            return there.st_uid == user
        os.fchown(file, user, group)
    finally:
        os.close(file)
    return True
