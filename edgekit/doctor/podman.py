"""Can podman read how NVIDIA's container toolkit describes the GPU? Toolkit 1.19.1 and newer write it too new for it.

Such a description (CDI) is a file of YAML or JSON in /etc/cdi or /var/run/cdi that says its version: "cdiVersion:
0.7.0". Podman reads 0.7 from 5.1 on (the toolkit's release notes, 1.19.1); JetPack 6 and Ubuntu 24.04 have 4.x, which
ends with "unresolvable CDI devices" (github.com/NVIDIA/nvidia-container-toolkit, issue 1860).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from edgekit.doctor.diagnosis import Diagnosis
from edgekit.doctor.nvidia import wants_gpu
from edgekit.machine.host import Host
from edgekit.target import Target

_FOLDERS = ("etc/cdi", "run/cdi", "var/run/cdi")
_VERSION = re.compile(r"""["']?cdiVersion["']?\s*:\s*["']?v?(\d+)\.(\d+)[\d.]*""")
_TOO_NEW, _READS_IT = (0, 7), (5, 1)
_FLAG = "no-additional-gids-for-device-nodes"
_REFRESH = "etc/nvidia-container-toolkit/nvidia-cdi-refresh.env"


def podman(host: Host, target: Target) -> Iterator[Diagnosis]:
    """Hold podman's version against each description of a GPU; silent where either is missing."""
    if not wants_gpu(target) or host.container:
        return
    specs = _specs(host)
    version = re.search(r"version ((\d+)\.(\d+)[\w.]*)", host.run("podman", "--version").out) if specs else None
    if version is None:
        return
    new = {name: of for name, of in specs.items() if of >= _TOO_NEW}
    if new and (int(version[2]), int(version[3])) < _READS_IT:
        named = ", ".join(f"{name} (CDI {major}.{minor})" for name, (major, minor) in new.items())
        what = f"podman {version[1]} can't read {named}, so that containers find no GPU; 5.1 and newer can"
        yield Diagnosis("containers", "bad", what, _mend(host, next(iter(new))))
    else:
        yield Diagnosis("containers", "good", f"podman {version[1]} reads {', '.join(specs)}")


def _specs(host: Host) -> dict[str, tuple[int, int]]:
    """The files that describe NVIDIA's devices, by their names, with their versions; each once."""
    specs: dict[str, tuple[int, int]] = {}
    seen: set[Path] = set()
    for path in (path for folder in _FOLDERS for kind in ("yaml", "json") for path in host.glob(f"{folder}/*.{kind}")):
        text = host.read(str(path.relative_to(host.root)))
        version = _VERSION.search(text)
        if path.resolve() not in seen and version and "nvidia.com/" in text:
            specs[f"/{path.relative_to(host.root)}"] = (int(version[1]), int(version[2]))
        seen.add(path.resolve())
    return specs


def _mend(host: Host, name: str) -> str:
    """Below /run the toolkit's own service writes it anew at every change of the driver, so that has to be told."""
    if name.startswith("/etc/") or not (host.root / _REFRESH).exists():
        return f"sudo nvidia-ctk cdi generate --feature-flag {_FLAG} --output={name}"
    line = f"NVIDIA_CTK_CDI_GENERATE_FEATURE_FLAGS={_FLAG}"
    return f"echo {line} | sudo tee -a /{_REFRESH} && sudo systemctl restart nvidia-cdi-refresh"
