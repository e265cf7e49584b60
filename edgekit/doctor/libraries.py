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


def in_toolkit(host: Host, name: str) -> bool:
    """Whether one lies in the CUDA toolkit that CUDA_HOME or CUDA_PATH names, where cuda-python looks, too."""
    named = filter(None, (host.environment.get(variable) for variable in ("CUDA_HOME", "CUDA_PATH")))
    patterns = ("lib64", "lib", "targets/*/lib")
    return any(host.glob(f"{home.strip('/')}/{folder}/{name}") for home in named for folder in patterns)
