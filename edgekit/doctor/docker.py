"""Does Docker start containers on JetPack 6? Docker 28 wants a table of the firewall that its kernel lacks.

From 28 on a published port needs iptables' table "raw" (kernel module iptable_raw, CONFIG_IP_NF_RAW); 28.0.2 and newer
do without where DOCKER_INSECURE_NO_IPTABLES_RAW=1 is in dockerd's environment, at the price of ports on the loopback
address that the local network can reach (github.com/moby/moby: issue 49557, pull request 49621).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from edgekit.doctor.diagnosis import Diagnosis
from edgekit.machine.host import Host
from edgekit.machine.modules import has_module
from edgekit.target import Target

_L4T, _MODULE = 36, "iptable_raw"
_IN_WANT, _DOES_WITHOUT = (28, 0, 0), (28, 0, 2)
_WITHOUT = re.compile(r"^[^#;\n]*\bDOCKER_INSECURE_NO_IPTABLES_RAW=[\"']?1\b", re.MULTILINE)
_SERVICE = ("etc/systemd/system/docker.service.d/*.conf", "etc/systemd/system/docker.service", "etc/default/docker")
_LAST = "27.5.1-1~ubuntu.22.04~jammy"
_MEND = (
    f"sudo apt install --allow-downgrades docker-ce=5:{_LAST} docker-ce-cli=5:{_LAST} && "
    "sudo apt-mark hold docker-ce docker-ce-cli   (from Docker's own packages)"
)


def docker(host: Host, target: Target) -> Iterator[Diagnosis]:
    """Hold Docker's version against the kernel of L4T 36; silent elsewhere, and where there is no Docker."""
    if host.l4t != _L4T or host.container:
        return
    version = re.search(r"version ((\d+)\.(\d+)\.(\d+)[\w.]*)", host.run("dockerd", "--version").out)
    if version is None:
        return
    numbers, has_table = tuple(map(int, version.groups()[1:])), has_module(host, _MODULE)
    if numbers < _IN_WANT or has_table:
        yield Diagnosis("containers", "good", f"Docker {version[1]}")
    elif numbers >= _DOES_WITHOUT and _told_to_do_without(host):
        what = f"Docker {version[1]}, told to do without {_MODULE}: the local network reaches ports on 127.0.0.1"
        yield Diagnosis("containers", "good", what)
    elif has_table is None:
        what = f"whether Docker {version[1]} starts containers with ports: nothing tells if this kernel has {_MODULE}"
        yield Diagnosis("containers", "unknown", what)
    else:
        what = f"Docker {version[1]} starts no container with a port here: this kernel ({host.kernel}) has no {_MODULE}"
        yield Diagnosis("containers", "bad", what, _MEND)


def _told_to_do_without(host: Host) -> bool:
    files = (path.relative_to(host.root) for pattern in _SERVICE for path in host.glob(pattern))
    return any(_WITHOUT.search(host.read(str(file))) for file in files)
