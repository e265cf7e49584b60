"""Passwords: hashed by Argon2id, one at a time, and as slowly for a name that nobody has.

19 MiB of memory, two passes, one lane (OWASP's least for Argon2id): a tenth of a second, and no more memory than that
however many sign in at once.
"""

from __future__ import annotations

import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from edgekit.errors import InputError

SHORTEST, LONGEST = 10, 256
"""Letters of a password."""

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_ONE_AT_A_TIME = threading.Lock()
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$tTzK5tJKhK3wR/bfN6083g$s1HV/eavfXvuEzVQEJ8LOM/RggqD2AX+c/1ZONdMgUc"
"""What was kept of random bytes that nobody has kept: to compare with it takes as long as with anybody's."""
_FEWEST_LETTERS = 5


def hash_password(password: str) -> str:
    """Return what is kept of a password, with a salt of its own."""
    with _ONE_AT_A_TIME:
        return _HASHER.hash(_bytes(password))


def matches(kept: str | None, password: str) -> bool:
    """Say whether a password is the one of which ``kept`` is kept; None takes as long, and matches nothing."""
    with _ONE_AT_A_TIME:
        try:
            _HASHER.verify(_NOBODY if kept is None else kept, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False
    return kept is not None


def require_good(password: str, name: str) -> None:
    """Refuse a password that is guessed at once: :class:`~edgekit.errors.InputError` says how it has to be."""
    text = _normal(password)
    if len(text) < SHORTEST:
        raise InputError(f"The password is too short: it has {len(text)} letters", f"Take {SHORTEST} at least.")
    if len(text) > LONGEST:
        raise InputError(f"The password is too long: it has {len(text)} letters", f"Take {LONGEST} at most.")
    if len(set(text.casefold().replace(name.casefold(), ""))) < _FEWEST_LETTERS:
        raise InputError("The password is guessed at once", "Take several words that only you would put together.")


def _normal(password: str) -> str:
    """RFC 8265's normal form, without which an é typed on a phone is another than a keyboard's."""
    return unicodedata.normalize("NFC", password)


def _bytes(password: str) -> bytes:
    return _normal(password[: 4 * LONGEST]).encode("utf-8", "surrogatepass")
