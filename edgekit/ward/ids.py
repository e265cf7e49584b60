"""Names of what is kept: random, so that nobody guesses one."""

from __future__ import annotations

import secrets


def new_id() -> str:
    """Return 22 letters, digits, "-" and "_", 125 random bits at least; the first is a letter or a digit: a command
    takes what begins with "-" for an option.
    """
    while not (id := secrets.token_urlsafe(16))[0].isalnum():
        pass
    return id
