"""A disk whose power can be cut: an ext4 file system in an image that is copied in a moment.

SIGKILL is no power cut: the page cache survives it, and with it all that was never flushed. Here the image lies on an
XFS file system with reflinks; a process is stopped (SIGSTOP) at some moment, the image copied as it is then, which
copies no data, and the copy mounted, so that ext4 replays its journal as it would after a cut. The disk that this
stands for is honest: what it has acknowledged, it holds. It needs root, loop devices, and the tools of both.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

XFS_MIB = 512  # the least that mkfs.xfs makes is 300


class NoLab(Exception):
    """This machine can't have one; the text says why."""


class Lab:
    """The disk, mounted at ``root``."""

    def __init__(self, folder: Path) -> None:
        self._images = folder / "images"
        self._disk = self._images / "disk"
        self._copy = self._images / "copy"
        self._after = folder / "after"
        self.root = folder / "root"

    def cut(self, process: subprocess.Popen[bytes]) -> None:
        """Copy the disk as it is at this moment of a process, which stays stopped: :meth:`go_on`."""
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        _run("cp", "--reflink=always", str(self._disk), str(self._copy))

    @contextmanager
    def after_the_cut(self) -> Iterator[Path]:
        """Mount the copy, which replays its journal; it is gone afterwards."""
        try:
            with _mounted(self._copy, self._after):
                yield self._after
        finally:
            self._copy.unlink()

    @contextmanager
    def running(self, disk_mib: int, *options: str) -> Iterator[Lab]:
        """Make the disk, by mkfs.ext4's ``options``; unmounted at the end. :class:`NoLab` where it can't be had."""
        with ExitStack() as stack:
            for folder in (self._images, self._after, self.root):
                folder.mkdir()
            below = self._images.with_name("below.img")
            stack.callback(below.unlink)
            stack.enter_context(filesystem(below, self._images, XFS_MIB, "mkfs.xfs", "-q", "-m", "reflink=1"))
            make = ("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", *options)
            stack.enter_context(filesystem(self._disk, self.root, disk_mib, *make))
            yield self


def go_on(process: subprocess.Popen[bytes]) -> None:
    """Let a stopped process run again."""
    process.send_signal(signal.SIGCONT)


@contextmanager
def filesystem(image: Path, place: Path, mib: int, *make: str) -> Iterator[None]:
    """Make a file system in a new image, and mount it; :class:`NoLab` where this machine can't."""
    if os.geteuid() != 0:
        raise NoLab("mounting needs root")
    if shutil.which(make[0]) is None:
        raise NoLab(f"there is no {make[0]}")
    with image.open("xb") as file:
        file.truncate(mib << 20)
    _run(*make, str(image))
    with _mounted(image, place):
        yield


@contextmanager
def _mounted(image: Path, place: Path) -> Iterator[None]:
    done = subprocess.run(["mount", "-o", "loop", str(image), str(place)], capture_output=True, text=True)
    if done.returncode != 0:
        raise NoLab(f"nothing can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        _unmount(place)


def _unmount(place: Path) -> None:
    """A loop device lets go of its image a moment after it was unmounted, and what that lies on is busy until then."""
    for _ in range(50):
        if subprocess.run(["umount", str(place)], capture_output=True).returncode == 0:
            return
        time.sleep(0.1)
    _run("umount", "--lazy", str(place))


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise NoLab(f"{' '.join(command)}: {done.stderr.strip()}")
