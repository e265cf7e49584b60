"""What a site sets for its service, in ``serve.toml`` beside its other settings; every value has a default that holds.

```toml
aliases = ["llava-med"]            # other names under which the model may be asked for
hosts = ["radiology.example"]      # names by which it is reached, beside this machine's and its certificate's
proxies = ["10.0.0.2"]             # whose word counts about whom they ask for

[limits]
body = "48 MiB"
answer_s = 300

[sign_in]
idle_s = 900                       # that a session lasts without a request

[keep]
days = 90                          # that a conversation is kept after its last change
```
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, fields

from edgekit import config
from edgekit.config.site import site_file
from edgekit.errors import ConfigError
from edgekit.units import KIB, MIB
from edgekit.ward.limits import SignIn

NAME = "serve.toml"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The most that one request may be, and that all may be together; past each, a documented error.

    * ``request_s``: seconds from a request's first byte, or a connection's beginning, until it is complete
    * ``body_bytes``: of one request, in which a picture's file takes four thirds of its bytes (base64);
      ``bodies_bytes``: of all that are in memory at once
    * ``images``: pictures in one request; ``image_bytes``: of one picture's file
    * ``text_bytes``: of all texts of a conversation in UTF-8, before any is looked at
    * ``answer_tokens``: that an answer may have, asked for or not; 0: as many as the context holds
    * ``answer_s``: seconds that an answer may take from when it gets a slot
    * ``queue_s``: seconds that a request may wait for a slot
    * ``waiting``: requests that wait in all, work that can wait in half of the places; ``waiting_per_caller``: of one
      caller
    * ``connections``: open at once
    * ``grace_s``: seconds that running answers get when the service is told to stop
    * ``resume_s``: seconds that an answer goes on, and is kept, after its link dropped
    """

    request_s: float = 30.0
    body_bytes: int = 40 * MIB
    bodies_bytes: int = 256 * MIB
    images: int = 8
    image_bytes: int = 24 * MIB
    text_bytes: int = 256 * KIB
    answer_tokens: int = 0
    answer_s: float = 600.0
    queue_s: float = 600.0
    waiting: int = 128
    waiting_per_caller: int = 16
    connections: int = 512
    grace_s: float = 30.0
    resume_s: float = 120.0

    def __post_init__(self) -> None:
        for limit in fields(self):
            value = getattr(self, limit.name)
            if value < 0 or (value == 0 and limit.name not in ("answer_tokens", "grace_s", "resume_s")):
                raise ConfigError(f"The limit '{limit.name}' is {value}", "Give more than nothing.")
        if self.bodies_bytes < self.body_bytes:
            raise ConfigError("The limit 'bodies' is smaller than 'body'", "All requests together take at least one.")


@dataclass(frozen=True, kw_only=True)
class Keep:
    """The most that is kept of what people say, past each of which is a documented error; and for how long.

    * ``days``: that a conversation is kept after its last change; 0: until somebody deletes it
    * ``conversations``: of one owner; ``pictures``, ``turns`` (questions with their answers): in one conversation
    * ``disk_bytes``: in all, 0: as much as there is room for; ``free_bytes``: that stay free on the disk
    """

    days: int = 0
    conversations: int = 2000
    pictures: int = 64
    turns: int = 200
    disk_bytes: int = 0
    free_bytes: int = 256 * MIB

    def __post_init__(self) -> None:
        for limit in fields(self):
            value = getattr(self, limit.name)
            if value < 0 or (value == 0 and limit.name in ("conversations", "pictures", "turns")):
                raise ConfigError(f"The limit '{limit.name}' is {value}", "Give more than nothing.")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A site's settings: names for the model and the machine, whose word counts, limits, how long one stays signed
    in, and how much is kept."""

    aliases: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    sign_in: SignIn = field(default_factory=SignIn)
    keep: Keep = field(default_factory=Keep)

    def __post_init__(self) -> None:
        for host in self.hosts:
            _require_name(host)
        for proxy in self.proxies:
            _require_network(proxy)


def _require_name(text: str) -> None:
    """Refuse what is compared with requests' hosts and would never be one: nobody would see why none is answered."""
    if not text or any(letter in text for letter in "/:*@, "):
        hint = 'Give it alone, as "ward7.example": without https://, port or path.'
        raise ConfigError(f"The host {text!r} is no name", hint)


def _require_network(text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        hint = 'Give it as "10.0.0.2" or "10.0.0.0/24".'
        raise ConfigError(f"The proxy {text!r} is no address and no network", hint) from None


def settings() -> Settings:
    """Read the site's settings; :class:`~edgekit.errors.ConfigError` where they say what they can't mean."""
    path = site_file(NAME)
    return config.load_toml(path, Settings) if path else Settings()
