"""What is to be installed on a machine: a bundle with its code, and the files that belong around it there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edgekit.deploy.watching import ENABLED


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be installed.

    - ``bundle``: its folder, and ``digest``; ``wheels``: that of its code, "" for this environment's; ``release``: the
      ID of both
    - ``configuration``, ``watching``, ``unit``: texts by their paths on the device: what is created once; the units
      that watch trials, and what they need; the service's own
    - ``enabled``: those of ``watching`` that start with the machine, or with its user
    - ``users``: the file among ``watching`` that names the service's user; ``owned``: folders, by their paths on the
      device, that are given to a user
    - ``stops_first``: whether the release can't be tried while the old one holds the memory
    - ``image``: whether it is installed into a tree where nothing runs, and so is neither tried nor on trial
    - ``left_open``: what only the device itself knows, in people's words
    - ``forced``: go on where a gate says no; ``retried``: try a release again that failed here before, by all gates
    """

    bundle: Path
    digest: str
    wheels: str
    release: str
    configuration: Mapping[str, str]
    watching: Mapping[str, str]
    unit: Mapping[str, str]
    users: str = ""
    enabled: tuple[str, ...] = ENABLED
    owned: Mapping[str, str] = field(default_factory=dict)
    stops_first: bool = False
    image: bool = False
    left_open: tuple[str, ...] = ()
    forced: bool = False
    retried: bool = False
