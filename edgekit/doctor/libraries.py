"""Libraries that a program opens by their names while it runs."""

from __future__ import annotations

import re

from edgekit.doctor.host import Host


def searched(host: Host, name: str) -> str:
    """Where one is found: in LD_LIBRARY_PATH, or in the loader's cache; "" where it isn't."""
    for folder in filter(None, host.environment.get("LD_LIBRARY_PATH", "").split(":")):
        if (path := host.root / folder.lstrip("/") / name).exists():
            return str(path)
    match = re.search(rf"^\s*{re.escape(name)} \(.*=> (\S+)", host.run("ldconfig", "-p").out, re.MULTILINE)
    return match[1] if match else ""
