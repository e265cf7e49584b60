"""Where the service listens: a socket of its own, taken before the model is loaded, and the address that opens.

Beyond this machine nobody listens without both sign-in and TLS, unless that is asked for by name: a service that
anybody on a network can ask, or listen to, is what most open ones came to be by default.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Sequence

from edgekit.errors import ConfigError, InputError
from edgekit.serve.listener import Listener
from edgekit.serve.tls.names import device_names

EVERY = ("0.0.0.0", "::")
"""All addresses of this machine."""

_OTHER = "Choose another with --host or --port."
_HINTS = {
    errno.EADDRINUSE: "Choose another with --port, or stop what has it.",
    errno.EADDRNOTAVAIL: "This machine has no such address: ip addr shows those that it has; 0.0.0.0 is all of them.",
    errno.EACCES: "Ports below 1024 are the system's: choose another with --port, or have a proxy listen there.",
}


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches ``host``."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def require_guarded(host: str, *, sign_in: bool, tls: bool, insecure: bool) -> None:
    """Refuse to listen beyond this machine where nobody has to sign in, by a token or to an account, or without TLS,
    unless ``insecure`` is asked for.

    :class:`~edgekit.errors.ConfigError` says what is missing, and how it is made.
    """
    if is_loopback(host) or insecure or (sign_in and tls):
        return
    missing = [
        *([] if sign_in else ["a token (edgekit token add NAME) or account (edgekit user add NAME)"]),
        *([] if tls else ["a certificate (edgekit tls make)"]),
    ]
    raise ConfigError(
        f"{host} is reached from other machines, and there is no {' and no '.join(word[2:] for word in missing)}",
        "Make what is missing, listen on 127.0.0.1, or give --insecure: all on the network then ask or read along.",
    )


def listen(host: str, port: int) -> Listener:
    """Take an address; :class:`~edgekit.errors.InputError` where that can't be had. Port 0 takes a free one."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError):
        raise InputError(f"{host[:80]} is no address of this machine", "Give one, as 127.0.0.1 or 0.0.0.0.") from None
    taken = Listener(family, kind, protocol)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
        taken.listen(128)
    except OSError as error:
        taken.close()
        raise InputError(
            f"{host}:{port} can't be listened on: {error.strerror}", _HINTS.get(error.errno or 0, _OTHER)
        ) from None
    return taken


def url_of(taken: socket.socket, host: str, *, tls: bool) -> str:
    """Return the address that opens in a browser on this machine."""
    name = host.strip("[]")
    return _url(taken, "127.0.0.1" if name in (*EVERY, "") else name, tls=tls)


def urls_for_others(taken: socket.socket, names: Sequence[str], *, tls: bool) -> tuple[str, ...]:
    """Return the addresses that open on other machines, where it is listened on all of this one's.

    They are by the ``names`` that a certificate is for, else by the machine's own. Names without a dot are left out,
    since hardly any other machine knows them, and so are those of anything below a name.
    """
    if taken.getsockname()[0] not in EVERY:
        return ()
    candidates = names or device_names().words()
    reached = [name for name in candidates if {".", ":"} & set(name) and "*" not in name and not is_loopback(name)]
    if taken.family == socket.AF_INET:
        reached = [name for name in reached if ":" not in name]
    return tuple(_url(taken, name, tls=tls) for name in reached)


def _url(taken: socket.socket, name: str, *, tls: bool) -> str:
    return f"{'https' if tls else 'http'}://{f'[{name}]' if ':' in name else name}:{taken.getsockname()[1]}/"
