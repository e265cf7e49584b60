"""What a bundle's order says for one user's own installation: one slot, this machine alone, no accounts."""

from __future__ import annotations

from pathlib import Path

from edgekit import machine
from edgekit.bundle import open_bundle
from edgekit.deploy.health import address
from edgekit.deploy.here import code_for, grace_s
from edgekit.deploy.laptop.layout import HomeLayout
from edgekit.deploy.laptop.text import TEMPLATE_SHA256, home_unit_text, menu_files
from edgekit.deploy.order import Order
from edgekit.deploy.record import record_of
from edgekit.deploy.steps import COMMIT_TIMER
from edgekit.deploy.unit.nodes import nodes
from edgekit.deploy.unit.settings import Settings
from edgekit.deploy.unit.text import GPU, ROLLBACK, gpu_unit_text, rollback_unit_text
from edgekit.deploy.watching import BOOT_UNIT, watch_units
from edgekit.machine.host import Host

_CONFIGURATION = """\
# Created by `edgekit install --user`, which never overwrites it. `systemctl --user restart edgekit` takes changes;
# `edgekit install --user` of the same bundle takes them into the menu.
EDGEKIT_PORT=8080
"""


def order_home(bundle: Path, wheels: str, layout: HomeLayout, *, forced: bool = False) -> Order:
    """Return the order of a bundle for this user; errors as of opening it and of its code."""
    opened = open_bundle(bundle.resolve())
    target = opened.manifest.target
    settings = Settings(memory_bytes=machine.look().memory_bytes, grace_s=grace_s(layout))
    unit = {str(layout.unit): home_unit_text(layout, target, settings)}
    if target.kind.on_gpu:
        unit[str(layout.unit.with_name(GPU))] = gpu_unit_text(nodes(Host(), target))
    record = record_of(opened.digest, code_for(target.engine, wheels).packages(), TEMPLATE_SHA256)
    return Order(
        bundle=opened.path,
        digest=opened.digest,
        wheels=wheels,
        release=record.identity,
        configuration={str(layout.environment): _CONFIGURATION},
        watching={
            **watch_units(layout),
            str(layout.unit.with_name(ROLLBACK)): rollback_unit_text(layout),
            **menu_files(layout, address(layout).port),
        },
        unit=unit,
        enabled=(BOOT_UNIT, COMMIT_TIMER),
        stops_first=target.kind.on_gpu,
        forced=forced,
    )
