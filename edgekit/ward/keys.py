"""The master key of what is kept: 256 random bits in a file outside of it, from which every other key follows.

It is systemd's credential ``ward.key`` where the service is given one, else ``ward.key`` in the folder of the site's
settings, 64 hexadecimal digits that its owner alone can read. It is made at first use, and never where something is
kept already: what a lost key had locked would stay locked, and look as if it had never been.

Subkeys are HKDF-SHA256's (RFC 5869), each by the name of its purpose.
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from edgekit.config.site import locked, site_folder
from edgekit.errors import ConfigError, EdgeKitError
from edgekit.files import write_bytes

NAME = "ward.key"
WARD, KEYS = "ward.db", "keys.db"
_DIGITS = re.compile(r"[0-9a-fA-F]{64}\s*")


@dataclass(frozen=True)
class Master:
    """The master key. It shows itself nowhere."""

    secret: bytes = field(repr=False)

    def derive(self, purpose: str) -> bytes:
        """Return the 32 bytes of the key for a purpose: "ward.db", "keys.db", "picture names", "audit"."""
        return HKDF(SHA256(), length=32, salt=None, info=f"edgekit {purpose}".encode()).derive(self.secret)


def key_file() -> Path:
    """Return where the master key lies: systemd's credential where there is one, else the site's file."""
    credential = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nonexistent"), NAME)
    return credential if credential.exists() else site_folder() / NAME


def master_key(state: Path) -> Master:
    """Read the master key; make it where there is none and nothing is kept in ``state`` yet.

    :class:`~edgekit.errors.EdgeKitError` where it is missing though something is kept; as :func:`load` where it is
    damaged.
    """
    path = key_file()
    if path.exists():
        return load(path)
    with locked(path):
        if path.exists():
            return load(path)
        if any(is_there(state / name) for name in (WARD, KEYS, "audit")):
            raise EdgeKitError(
                f"The key {path} is missing, and without it what {state} keeps can't be read",
                "Put it back from where the site keeps its keys. Where the service gets it from systemd "
                "(LoadCredential), a command needs it too: systemd-run --pipe --wait -p LoadCredential=ward.key:FILE "
                "edgekit …",
            )
        return make(path)


def load(path: Path) -> Master:
    """Read a key's file; :class:`~edgekit.errors.ConfigError` where it is damaged or others can read it."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        mode = path.stat().st_mode & 0o777
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}", "Check its permissions.") from None
    is_credential = path.parent != site_folder()  # systemd guards its own, and an ACL of its shows as a group's right
    if mode & 0o077 and not is_credential:
        raise ConfigError(
            f"{path} is not its owner's alone (mode {mode:o})", f"Run: chmod 400 {shlex.quote(str(path))}"
        )
    if not _DIGITS.fullmatch(text):
        raise ConfigError(
            f"{path} is damaged: it is not 64 hexadecimal digits",
            "Put it back from where the site keeps its keys. Without it, what is kept can't be read.",
        )
    return Master(bytes.fromhex(text))


def make(path: Path) -> Master:
    """Make a key, and write it durably before anything is locked with it."""
    master = Master(secrets.token_bytes(32))
    write_bytes(path, f"{master.secret.hex()}\n".encode(), mode=0o400)
    return master


def is_there(path: Path) -> bool:
    """Say whether a file holds anything, or a folder: SQLite begins with one of no bytes, as a power cut leaves it."""
    try:
        return any(path.iterdir()) if path.is_dir() else path.stat().st_size > 0
    except FileNotFoundError:
        return False
