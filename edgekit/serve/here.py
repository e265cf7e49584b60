"""Where the service of this machine is reached, told to its commands: the links that they make begin with it.

A file in the folder of what is kept holds the addresses, and is locked as long as the service runs; the lock ends with
its process, however that ends, so nobody believes what one left behind that is gone.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from edgekit import config
from edgekit.config.state import make_private
from edgekit.errors import ConfigError, EdgeKitError
from edgekit.files import give_to_owner_of_folder, open_private, writing

log = logging.getLogger("edgekit.serve")

NAME = ".service.json"
_MOST_BYTES = 64 << 10


@dataclass(frozen=True)
class ServiceHere:
    """A service that runs: its ``url`` on this machine, and those by which ``others`` reach it."""

    url: str
    others: tuple[str, ...] = ()


@contextmanager
def telling(state: Path, service: ServiceHere) -> Iterator[None]:
    """Have the commands that look into the folder ``state`` know where a service is, until the context ends.

    Where that can't be written, or another service tells it there, they don't, which the log says. Root makes no
    folder for it: what others keep on this machine would have to lie in that from then on.
    """
    file = None
    try:
        with writing(state / NAME):
            if os.geteuid() != 0:
                make_private(state)
            if state.is_dir():
                file = open_private(state / NAME, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC)
                give_to_owner_of_folder(file, state)
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.truncate(file, 0)
                os.write(file, json.dumps(config.dump(service)).encode())
    except EdgeKitError as error:
        log.info("Commands on this machine can't tell where the page is: %s", error.message)
    try:
        yield
    finally:
        if file is not None:
            os.close(file)


def service_here(state: Path) -> ServiceHere | None:
    """Return the service that runs on the folder ``state``; None where none does, or it can't be told."""
    try:
        text = _locked_text(state / NAME)
        service = None if text is None else config.load(ServiceHere, json.loads(text), NAME)
    except (OSError, ValueError, RecursionError, ConfigError):
        return None
    return service if service and all(map(_is_address, (service.url, *service.others))) else None


def _locked_text(path: Path) -> bytes | None:
    """What the file holds that a service has locked; None where none has. Root reads here what another user may write,
    so it is the same open file whose lock was seen, and little of it."""
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return None
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.read(file, _MOST_BYTES)
    finally:
        os.close(file)
    return None


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        return False
