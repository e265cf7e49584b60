"""What the user's systemd and desktop are told of the service: its unit, and its entry in the menu.

A user's systemd can have little of what root's has: what needs a namespace of mounts, or of users, is left out, since
distributions let users have none (Ubuntu 24.04 does), and a unit that asks for one would not start there. That is
ProtectSystem, ProtectHome, PrivateTmp, PrivateDevices, the other Protect*, and DeviceAllow, which takes root. The
service is its user's, and can do what its user can, but for what system calls are filtered.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files
from string import Template
from typing import Final

from edgekit.deploy.laptop.layout import HomeLayout
from edgekit.deploy.unit.settings import Settings, systemd_version
from edgekit.deploy.unit.text import DIRECT, GPU, RESTART_MODE
from edgekit.target import Target

UNIT, MENU, PORT = "edgekit.service", "edgekit.desktop", "8080"
_FOLDER: Final = files("edgekit.deploy.laptop")
_SHARE: Final = "75%"
_ON_PROCESSOR: Final = """\
SystemCallFilter=~@resources
# The bundle is compared with its hashes behind all other work.
SystemCallFilter=setpriority
MemoryDenyWriteExecute=yes"""
_ON_GPU: Final = """\
# CUDA places its threads and their memory: @resources stays allowed. The driver and NVRTC write code, then run it.
MemoryDenyWriteExecute=no"""


def _template(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


TEMPLATE_SHA256: Final = hashlib.sha256("".join((_template(UNIT), _ON_PROCESSOR, _ON_GPU)).encode()).hexdigest()
"""Of what a release's unit is made of."""


def home_unit_text(layout: HomeLayout, target: Target, settings: Settings) -> str:
    """Return the text of the user's ``edgekit.service``."""
    systemd = systemd_version(layout.root) if settings.systemd is None else settings.systemd
    most = settings.host_bytes(target)
    return Template(_template(UNIT)).substitute(
        prefix=layout.prefix,
        environment=layout.environment,
        site=layout.configuration,
        data=layout.data,
        python=settings.python,
        wants_gpu=f"Wants={GPU}\nAfter={GPU}\n" if target.kind.on_gpu else "",
        restart_mode=RESTART_MODE if systemd >= DIRECT else "",
        stop_s=settings.stop_s,
        memory_max=_SHARE if most is None else most,
        computes=_ON_GPU if target.kind.on_gpu else _ON_PROCESSOR,
    )


def menu_files(layout: HomeLayout, port: int) -> dict[str, str]:
    """Return the entry in the desktop's menu, which opens the page, and its picture, by their paths."""
    picture = (files("edgekit.serve") / "page/icon.svg").read_text(encoding="utf-8")
    return {str(layout.menu): Template(_template(MENU)).substitute(port=port), str(layout.icon): picture}
