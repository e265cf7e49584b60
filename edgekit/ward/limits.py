"""How long a sign-in lasts, and a link that lets somebody choose his password."""

from __future__ import annotations

from dataclasses import dataclass, fields

from edgekit.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """A site's limits for signing in, in seconds.

    * ``idle_s``: that a session lasts without a request
    * ``longest_s``: that it lasts at all
    * ``invitation_s``: that a one-time link is good for
    """

    idle_s: float = 30 * 60.0
    longest_s: float = 12 * 3600.0
    invitation_s: float = 7 * 86400.0

    def __post_init__(self) -> None:
        for limit in fields(self):
            if getattr(self, limit.name) < 60:
                raise ConfigError(f"The limit '{limit.name}' is below a minute", "Nobody could work with that.")
