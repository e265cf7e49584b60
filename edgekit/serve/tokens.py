"""API tokens: who may use the service, in one TOML file that its owner alone can read.

A token's secret is shown once, when it is added; the file keeps its SHA-256. The secret is 256 random bits: there is
nothing to guess, so a slow hash with a salt, as passwords need it, would only make every request slower.

```toml
format = 1

[tokens."ward-7"]
sha256 = "…"
batch = false
created = "2026-11-30"
```
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from edgekit import config
from edgekit.config.site import locked, site_folder
from edgekit.errors import ConfigError, InputError
from edgekit.files import write_bytes
from edgekit.machine.system import utc_now

_log = logging.getLogger(__name__)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HEADER = "# API tokens of this machine's service, written by `edgekit token`. The secrets themselves stand nowhere.\n"
_State: TypeAlias = "tuple[int, ...] | int | None"


@dataclass(frozen=True)
class Token:
    """A token names a caller; ``batch`` lets all its requests wait behind others', ``created`` is a date of UTC."""

    name: str
    sha256: str
    batch: bool
    created: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            message = f"{self.name[:40]!r} is no name for a token"
            raise ConfigError(message, "Use letters, digits, '-', '_' and '.', a letter or a digit first, 64 at most.")
        if not _SHA256.fullmatch(self.sha256):
            raise ConfigError(f"the sha256 of token '{self.name}' is none", "Remove the token, and add it again.")

    def document(self) -> dict[str, Any]:
        """Return a token as JSON has it, without its hash."""
        return {"name": self.name, "batch": self.batch, "created": self.created}


@dataclass(frozen=True)
class AddedToken:
    """A token that was added to ``file``, with its secret, which is shown this once."""

    name: str
    batch: bool
    secret: str
    file: Path


@dataclass(frozen=True)
class ListedTokens:
    """The tokens that ``file`` holds."""

    file: Path
    tokens: tuple[Token, ...]

    def document(self) -> dict[str, Any]:
        """Return a list of tokens as JSON has it."""
        return {"file": str(self.file), "tokens": [token.document() for token in self.tokens]}


@dataclass(frozen=True)
class _Entry:
    sha256: str
    batch: bool
    created: str


@dataclass(frozen=True)
class _File:
    """``format`` has no default: a file that was emptied is damaged, and not a service that needs no token."""

    format: Literal[1]
    tokens: Mapping[str, _Entry] = field(default_factory=dict)


def tokens_file() -> Path:
    """Return where this site's tokens lie."""
    return site_folder() / "tokens.toml"


def read_tokens(path: Path) -> tuple[Token, ...]:
    """Read a file of tokens; there are none where there is no file.

    :class:`~edgekit.errors.ConfigError` where it is damaged, is no file, or can be read by others.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}", "Check its permissions.") from None
    if not path.is_file():  # a pipe's writer would be waited for
        raise ConfigError(f"{path} is no file", "Remove it.")
    if status.st_mode & 0o077:
        mode = f"{status.st_mode & 0o777:o}"
        raise ConfigError(f"{path} is not its owner's alone (mode {mode})", f"Run: chmod 600 {shlex.quote(str(path))}")
    entries = config.load_toml(path, _File).tokens
    try:
        return tuple(Token(name, entry.sha256, entry.batch, entry.created) for name, entry in entries.items())
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.message}", error.hint) from None


def add(path: Path, name: str, batch: bool = False) -> str:
    """Add a token to ``path`` and return its secret, which nothing keeps.

    :class:`~edgekit.errors.InputError` where there is one of that name; :class:`~edgekit.errors.ConfigError` where the
    name or the file can't be used.
    """
    secret = f"ek-{secrets.token_urlsafe(32)}"
    token = Token(name, _digest(secret), batch, utc_now()[:10])
    with locked(path):
        before = read_tokens(path)
        if any(other.name == name for other in before):
            raise InputError(f"there is a token called '{name}' already", "Choose another name, or remove that first.")
        _write(path, [*before, token])
    return secret


def remove(path: Path, name: str) -> ListedTokens:
    """Remove the token called ``name`` from ``path`` and return those that are left.

    :class:`~edgekit.errors.InputError` where there is none of that name. A service that runs refuses it from the next
    request on.
    """
    with locked(path):
        before = read_tokens(path)
        left = tuple(token for token in before if token.name != name)
        if len(left) == len(before):
            hint = config.did_you_mean(name, [token.name for token in before]) if before else "There are none at all."
            raise InputError(f"there is no token called {name[:40]!r}", hint)
        _write(path, left)
    return ListedTokens(path, left)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def _write(path: Path, tokens: Iterable[Token]) -> None:
    lines = [_HEADER, "format = 1"]
    for token in tokens:
        values = (f'sha256 = "{token.sha256}"', f"batch = {str(token.batch).lower()}", f'created = "{token.created}"')
        lines += ["", f'[tokens."{token.name}"]', *values]
    write_bytes(path, ("\n".join(lines) + "\n").encode(), mode=0o600)


class Tokens:
    """The tokens of a running service: read anew whenever their file has changed, and nobody's while it is damaged.

    ``required`` says whether a caller needs one. It stays true once it was, until the service starts anew: removing
    the last token must not open to everyone what was closed a moment ago. ``on_removed`` is told each that was.
    """

    def __init__(self, path: Path, tokens: tuple[Token, ...], state: _State) -> None:
        self.path = path
        self.tokens = tokens
        self.required = bool(tokens)
        self.on_removed: Callable[[Token], object] = lambda token: None
        self._valid = tokens
        self._state = state

    @classmethod
    def load(cls, path: Path) -> Tokens:
        """Read the tokens of a service that starts; :class:`~edgekit.errors.ConfigError` as :func:`read_tokens`."""
        state = _state(path)  # before reading: what changes meanwhile is read again
        return cls(path, read_tokens(path), state)

    def current(self) -> Tokens:
        """Return itself, as the file is now; a damaged one is logged, once, and lets nobody in."""
        state = _state(self.path)
        if state != self._state:
            self._state = state
            try:
                self.tokens = read_tokens(self.path)
            except ConfigError as error:
                self.tokens, self.required = (), True
                _log.error("No token is let in: %s. %s", error.message, error.hint)
            else:
                self.required = self.required or bool(self.tokens)
                self._tell_removed()
                _log.info("%d tokens are let in, as %s now says", len(self.tokens), self.path)
        return self

    def _tell_removed(self) -> None:
        left = {token.sha256 for token in self.tokens}
        removed = [token for token in self._valid if token.sha256 not in left]
        self._valid = self.tokens
        for token in removed:
            self.on_removed(token)

    def match(self, secret: str) -> Token | None:
        """Return the token of a secret, as the file is now; None where it is nobody's.

        It takes as long whichever matches, or none does.
        """
        digest, match = _digest(secret), None
        for token in self.current().tokens:
            if hmac.compare_digest(token.sha256, digest):
                match = token
        return match


def _state(path: Path) -> _State:
    """What changes when a file is replaced, edited, or opened to others; the error's number where it can't be seen."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        return error.errno
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
