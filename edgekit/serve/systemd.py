"""What systemd is told, where it started the service: sd_notify(3) over the socket in NOTIFY_SOCKET."""

from __future__ import annotations

import logging
import os
import socket

log = logging.getLogger("edgekit.serve")


def notify(**values: str | int) -> bool:
    """Send assignments (``READY=1``, ``STATUS="…"``); False where nobody asked for them.

    What can't be sent is logged and no reason to stop: systemd ends a service that it waits for.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    message = "\n".join(f"{name}={' '.join(str(value).splitlines())}" for name, value in values.items())
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as connection:
            connection.setblocking(False)  # systemd may be slow: nobody waits for it
            connection.connect("\0" + address[1:] if address.startswith("@") else address)
            connection.sendall(message.encode())
    except OSError as error:
        log.warning("systemd can't be told: %s", error.strerror)
        return False
    return True


def is_waited_for() -> bool:
    """Whether systemd waits to hear that the service is ready."""
    return bool(os.environ.get("NOTIFY_SOCKET"))


def watchdog_s() -> float | None:
    """Return the seconds in which systemd wants to hear of us; None where it does not ask, or asks another process."""
    asked, process = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID")
    if not asked.isdigit() or int(asked) == 0 or (process and process != str(os.getpid())):
        return None
    return int(asked) / 1e6
