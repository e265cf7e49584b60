"""Whether the installed service answers: systemd's word, then the service's own, asked at this machine."""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from edgekit.deploy.layout import Layout
from edgekit.deploy.steps import UNIT, Hands
from edgekit.serve.here import service_here
from edgekit.serve.memory import MEMORY_SHORT

_ASK_S = 10.0
_UNANSWERED = (OSError, http.client.HTTPException, ValueError, OverflowError)
"""The last two: of a name and of a port that can't be any."""
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


class OfTheMachine(str):
    """Why a service takes nothing new, where that is not of its own making: it says nothing of its release."""

    __slots__ = ()


@dataclass(frozen=True)
class Address:
    """Where the service listens, as its configuration says; ``plain``: it is known to speak without TLS."""

    host: str = "127.0.0.1"
    port: int = 8080
    plain: bool = False

    @property
    def here(self) -> str:
        """The address at which this machine itself reaches it."""
        return _EVERYWHERE.get(self.host, self.host)


def settings(layout: Layout) -> dict[str, str]:
    """Read what the site says in the file of root's, by its names; what can't be read is as it ships."""
    values = {"EDGEKIT_HOST": "127.0.0.1", "EDGEKIT_PORT": "8080"}
    try:
        lines = layout.environment.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        name, _, value = line.strip().partition("=")
        values[name] = value.strip().strip("\"'")
    return values


def address(layout: Layout) -> Address:
    """Read where a start of the service listens; what can't be read is as it ships."""
    values = settings(layout)
    port = values["EDGEKIT_PORT"]
    return Address(values["EDGEKIT_HOST"], int(port) if port.isdecimal() else 8080)


def unhealthy(hands: Hands) -> str:
    """Say why the service can't be asked, :class:`OfTheMachine` where its release is not to blame; "" where it can."""
    state = hands.services.state(UNIT)
    if not state.ready:
        return f"systemd says {state.active} ({state.result})"
    return unanswered(hands.layout.data, address(hands.layout))


def unanswered(state: Path, otherwise: Address) -> str:
    """Say why the service that keeps its data in ``state`` does not answer; "" where it does. It is asked where it says
    that it is: its configuration may have changed since it started; ``otherwise`` where it says nothing."""
    return _asked(_told(state) or otherwise)


def _told(state: Path) -> Address | None:
    told = service_here(state)
    url = urlsplit(told.url) if told else None
    return Address(url.hostname, url.port, url.scheme == "http") if url and url.hostname and url.port else None


def _asked(place: Address) -> str:
    """Ask ``/readyz``, by TLS first where that may be. The certificate is not looked at: nothing is told to whoever
    answers."""
    if place.plain:
        return _asked_in_plain(place)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    encrypted = http.client.HTTPSConnection(place.here, place.port, timeout=_ASK_S, context=context)
    try:
        return _answer(encrypted)
    except ssl.SSLError:
        pass  # it has no certificate
    except _UNANSWERED as error:
        if not isinstance(error, ConnectionResetError | http.client.RemoteDisconnected):
            return f"it does not answer at {place.here}:{place.port} ({error})"
    return _asked_in_plain(place)


def _asked_in_plain(place: Address) -> str:
    try:
        return _answer(http.client.HTTPConnection(place.here, place.port, timeout=_ASK_S))
    except _UNANSWERED as error:
        return f"it does not answer at {place.here}:{place.port} ({error})"


def _answer(connection: http.client.HTTPConnection) -> str:
    try:
        connection.request("GET", "/readyz")
        reply = connection.getresponse()
        if reply.status == 200:
            return ""
        message, code = _said(reply.read(4096))
        why = f"it answers {reply.status}: {message}"
        return OfTheMachine(why) if code == MEMORY_SHORT else why
    finally:
        connection.close()


def _said(body: bytes) -> tuple[str, str]:
    """The reason that a refusal gives, for people and for programs."""
    try:
        error = json.loads(body)["error"]
        return str(error["message"]), str(error.get("code", ""))
    except (ValueError, KeyError, TypeError):
        return "it gives no reason", ""
