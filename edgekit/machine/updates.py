"""Automatic updates as Debian and Ubuntu have them: whether unattended-upgrades runs, and what it leaves alone.

`apt-config dump` prints every value that holds, one a line: 'APT::Periodic::Unattended-Upgrade "1";', and of a list
'Unattended-Upgrade::Package-Blacklist:: "nvidia-";', each a regular expression of Python that a package's name begins
with (unattended-upgrades' README). apt.systemd.daily runs it where APT::Periodic::Enable is not 0 and the first is not
0. A package that is held (`apt-mark hold`) has "hold" as its db:Status-Want in `dpkg-query`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgekit.machine.host import Host

_PROGRAM = "usr/bin/unattended-upgrade"
_QUERY = "-f=${db:Status-Want} ${db:Status-Status} ${Package}\n"


@dataclass(frozen=True)
class Updates:
    """Whether updates run by themselves, and the expressions that keep packages from them."""

    run: bool
    left_alone: tuple[str, ...] = ()

    def leave_alone(self, package: str) -> bool:
        """Say whether a package's name keeps it from being updated."""
        return any(_matches(expression, package) for expression in self.left_alone)


def automatic_updates(host: Host) -> Updates:
    """Ask apt; none run where there is no unattended-upgrades, or no apt to ask."""
    if not (host.root / _PROGRAM).exists():
        return Updates(run=False)
    rows = re.findall(r'^([\w:-]+) "(.*)";$', host.run("apt-config", "dump").out, re.MULTILINE)
    values = dict(rows)
    run = values.get("APT::Periodic::Unattended-Upgrade", "0") not in ("", "0")
    enabled = values.get("APT::Periodic::Enable", "1") != "0"
    left = tuple(value for name, value in rows if name == "Unattended-Upgrade::Package-Blacklist::")
    return Updates(run and enabled, left)


def not_held(host: Host, *patterns: str) -> list[str]:
    """List the installed packages whose names match a pattern of `dpkg-query` and that nobody holds, sorted."""
    rows = (line.split() for line in host.run("dpkg-query", "-W", _QUERY, *patterns).out.splitlines())
    return sorted({row[2] for row in rows if len(row) == 3 and row[0] != "hold" and row[1] == "installed"})


def _matches(expression: str, package: str) -> bool:
    try:
        return re.match(expression, package) is not None
    except re.error:
        return False  # apt keeps whatever is written; unattended-upgrades can't read it, either
