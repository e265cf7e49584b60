"""Whether this user has a systemd that can run a service, and what to do where not."""

from __future__ import annotations

import os

from edgekit.errors import EdgeKitError
from edgekit.machine.host import Host

_WITHOUT = "Without it: edgekit serve BUNDLE serves as long as its window is open."


def require_manager(host: Host) -> None:
    """Raise :class:`EdgeKitError` where the user is root, or has no systemd that answers: what to do is told."""
    if os.geteuid() == 0:
        raise EdgeKitError(
            "--user installs for the one who runs it, and this is root",
            "Run it without sudo, as the user who works with it; for a service of the machine's, leave out --user.",
        )
    reply = host.run("systemctl", "--user", "--no-pager", "show-environment")
    if reply.code != 0:
        raise EdgeKitError("No systemd of this user's runs here", f"{_remedy(host)}\n{_WITHOUT}")


def _remedy(host: Host) -> str:
    if host.wsl:
        boot = "Write these two lines to /etc/wsl.conf: [boot] and systemd=true. Then, in Windows: wsl --shutdown"
        return boot if host.wsl > 1 else "WSL 1 has none. In Windows: wsl --set-version DISTRIBUTION 2"
    if host.container:
        return "A container has none: the service belongs on the machine itself."
    if not (host.root / "run/systemd/system").is_dir():
        return "This system was not started by systemd."
    return (
        "Sign in at the desktop or by ssh, not by su or sudo. Where nobody signs in: "
        "sudo loginctl enable-linger $USER, then export XDG_RUNTIME_DIR=/run/user/$(id -u)"
    )
