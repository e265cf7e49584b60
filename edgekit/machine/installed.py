"""What is installed beside EdgeKit: libraries that a program opens by their names while it runs, Debian's packages,
systemd."""

from __future__ import annotations

import re

from edgekit.machine.host import Host


def searched(host: Host, name: str) -> str:
    """Find a library: in LD_LIBRARY_PATH, or in the loader's cache; "" where it isn't."""
    for folder in filter(None, host.environment.get("LD_LIBRARY_PATH", "").split(":")):
        if (path := host.root / folder.lstrip("/") / name).exists():
            return str(path)
    match = re.search(rf"^\s*{re.escape(name)} \(.*=> (\S+)", host.run("ldconfig", "-p").out, re.MULTILINE)
    return match[1] if match else ""


def in_toolkit(host: Host, name: str) -> bool:
    """Say whether one lies in the CUDA toolkit that CUDA_HOME or CUDA_PATH names, where cuda-python looks, too."""
    named = filter(None, (host.environment.get(variable) for variable in ("CUDA_HOME", "CUDA_PATH")))
    patterns = ("lib64", "lib", "targets/*/lib")
    return any(host.glob(f"{home.strip('/')}/{folder}/{name}") for home in named for folder in patterns)


def debian_version(host: Host, name: str) -> str:
    """Ask for the version of an installed Debian package; "" where it isn't, or can't be asked for."""
    reply = host.run("dpkg-query", "-W", "-f=${db:Status-Status} ${Version}", name)
    status, _, version = reply.out.strip().partition(" ")
    return version if reply.code == 0 and status == "installed" else ""


def systemd_version(host: Host) -> str | None:
    """Ask for the version of the systemd that runs the machine (sd_booted(3): /run/systemd/system exists), "" where it
    doesn't tell; None where none does."""
    if not (host.root / "run/systemd/system").is_dir():
        return None
    version = re.match(r"systemd (\d+)", host.run("systemctl", "--version").out)
    return version[1] if version else ""
