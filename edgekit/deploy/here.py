"""What installs on this very machine: who stages, tries and starts releases, and what a bundle's order says here."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgekit import machine
from edgekit.bundle import open_bundle, verify
from edgekit.child import listen, python
from edgekit.config import load_toml
from edgekit.deploy.laptop.manager import require_manager
from edgekit.deploy.laptop.text import TEMPLATE_SHA256 as HOME_SHA256
from edgekit.deploy.layout import CONFIGURATION, ENVIRONMENT, SITE, SYSTEM, Layout
from edgekit.deploy.order import Order
from edgekit.deploy.record import record_of
from edgekit.deploy.site import Code, Environment, Wheels
from edgekit.deploy.site.needed import helpful_extras
from edgekit.deploy.staging import stage
from edgekit.deploy.states import SHORT
from edgekit.deploy.steps import UNIT, Hands
from edgekit.deploy.systemd import Services, Systemctl
from edgekit.deploy.trying import RefusedByFigures
from edgekit.deploy.unit.nodes import nodes
from edgekit.deploy.unit.settings import CREDENTIALS, PYTHON, Settings, hidden_credentials, with_credentials
from edgekit.deploy.unit.text import TEMPLATE_SHA256, sysusers_text, unit_files
from edgekit.deploy.watching import watch_units
from edgekit.doctor import Host
from edgekit.doctor import examine as diagnose
from edgekit.errors import ConfigError, EdgeKitError
from edgekit.machine.programs import Runner
from edgekit.machine.programs import run as run_program
from edgekit.progress import Progress, silent
from edgekit.serve.settings import NAME as SERVE_TOML
from edgekit.serve.settings import Settings as SiteSettings
from edgekit.target import Target

_CONFIGURATION = """\
# Created by `edgekit install`, which never overwrites it. `systemctl restart edgekit` takes changes.
# Other machines reach the service at 0.0.0.0 here, once there are a certificate and an account, or a token.
EDGEKIT_HOST=127.0.0.1
EDGEKIT_PORT=8080
# The nightly check may stop the service in these hours, where memory has no room for it beside the service.
#EDGEKIT_CHECK_STOPS=2-5
"""
_SYSUSERS, _USER = "edgekit.conf", "edgekit"
_MEMORY = ("memory", "gpu memory")
_MOST_GRACE_S = 600.0
# What the installation puts right itself, and what is of later days, of containers, or of sticks.
_NO_HINDRANCE = ("service's user", "updates", "containers", "sticks")


def hands_here(
    layout: Layout, *, forced: bool = False, services: Services | None = None, progress: Progress = silent
) -> Hands:
    """Return what an installation on this machine works with; ``forced`` passes over what the doctor finds bad."""

    by = services or Systemctl(layout.root, of_user=layout.is_home)

    def stage_here(bundle: Path, wheels: str, release: str, stage_progress: Progress) -> None:
        opened = open_bundle(bundle)
        unit = HOME_SHA256 if layout.is_home else TEMPLATE_SHA256
        record = stage(opened, code_for(opened.manifest.target.engine, wheels), layout, unit, stage_progress)
        if record.identity != release:
            message = f"{bundle} or the code changed while it was installed: it is {record.identity[:SHORT]} by now"
            raise EdgeKitError(message, "Install it again.")

    def preflight(bundle: Path, wheels: str) -> None:
        require_root(layout)
        require_python()
        if not forced:
            require_healthy(bundle, runs=by.state(UNIT).runs)

    return Hands(
        layout=layout,
        services=by,
        stage=stage_here,
        examine=examine,
        preflight=preflight,
        verify=lambda bundle, progress: verify(open_bundle(bundle), progress),
        progress=progress,
    )


def order_here(bundle: Path, wheels: str, layout: Layout, *, forced: bool = False) -> Order:
    """Return the order of a bundle for this machine; errors as of opening it, of its code, and of the unit."""
    opened, image = open_bundle(bundle.resolve()), is_image(layout)
    target = opened.manifest.target
    if image:
        _require_python_in(layout)
    devices = None if image and target.kind.on_gpu else nodes(Host(), target)
    memory_bytes = _memory_of(target) if image else machine.look().memory_bytes
    unknown = {
        "its GPU's device files": devices,
        "how much memory it has": memory_bytes,
        f"what of {CREDENTIALS} only root can see": None if hidden_credentials(layout) else CREDENTIALS,
    }
    record = record_of(opened.digest, code_for(target.engine, wheels).packages(), TEMPLATE_SHA256)
    settings = with_credentials(Settings(memory_bytes=memory_bytes, grace_s=grace_s(layout)), layout)
    return Order(
        bundle=opened.path,
        digest=opened.digest,
        wheels=wheels,
        release=record.identity,
        configuration={ENVIRONMENT: _CONFIGURATION},
        watching={f"/etc/sysusers.d/{_SYSUSERS}": sysusers_text(), **watch_units(layout)},
        unit=unit_files(layout, target, devices, settings),
        users=_SYSUSERS,
        owned={CONFIGURATION: _USER},
        stops_first=target.kind.on_gpu,
        image=image,
        left_open=tuple(what for what, value in unknown.items() if value is None),
        forced=forced,
    )


def at_boot(hands: Hands) -> Hands:
    """Return hands that start and stop nothing: while the machine starts, systemd is about to start the service."""
    return replace(hands, services=_Booting(hands.services))


def code_for(engine: str, wheels: str) -> Code:
    """Return the code of a release: of a folder of wheels, or of this environment."""
    return Wheels(Path(wheels)) if wheels else Environment(helpful_extras(engine))


def is_image(layout: Layout) -> bool:
    """Say whether an installation lies in a tree in which nothing runs."""
    return layout.root.resolve() != Path("/")


def examine(phase: str, bundle: Path, progress: Progress, seconds: float | None = None) -> Mapping[str, Any]:
    """Let a release's code do a phase with its ``bundle``, by the interpreter that will run it, within ``seconds`` if
    they are given.

    :class:`GateRefused` where a gate says no; errors as of the phase, and of a process that ends without a result.
    """
    release = bundle.parent
    command = [str(PYTHON), "-s", *python("edgekit.deploy.examined", phase, str(bundle))[1:]]
    variables = {"PYTHONPATH": f"{release / SITE}{os.pathsep}{release / SYSTEM}", "PYTHONDONTWRITEBYTECODE": "1"}
    (document,) = listen(command, f"The release's {phase}", progress, variables, seconds)
    if "refused" in document:
        message, hint = document["refused"]
        raise RefusedByFigures(message, hint, document.get("figures", {}))
    return dict(document)


def require_root(layout: Layout) -> None:
    """Raise :class:`EdgeKitError` where this process may not change the installation."""
    if layout.is_home:
        require_manager(Host())
    elif os.geteuid() != 0:
        message = f"Only root may change the installation in {layout.at(layout.prefix)}"
        raise EdgeKitError(message, "Run it with sudo; or try `edgekit install --dry-run`, which changes nothing.")


def require_python(runner: Runner = run_program) -> None:
    """Raise :class:`EdgeKitError` where the interpreter that runs the service is not of this one's version: compiled
    modules are for one."""
    told = runner((str(PYTHON), "-c", "import sys; print(*sys.version_info[:2], sep='.')"), 30, os.environ).out.strip()
    ours = record_of("", (), "").python
    if told != ours:
        raise EdgeKitError(
            f"The service runs by {PYTHON}, which is Python {told or 'missing'}; this is Python {ours}",
            f"Install EdgeKit into an environment of that one: {PYTHON} -m venv DIR",
        )


def _require_python_in(layout: Layout) -> None:
    """Raise :class:`EdgeKitError` where the tree's own interpreter is of another version, as far as its name tells."""
    try:
        told = re.search(r"python(\d+\.\d+)$", os.readlink(layout.at(PYTHON)))
    except OSError:
        return
    ours = record_of("", (), "").python
    if told and told[1] != ours:
        message = f"The service runs by Python {told[1]} in {layout.root}; this is Python {ours}"
        raise EdgeKitError(message, "Install EdgeKit into an environment of that version, and run it there.")


def _memory_of(target: Target) -> int | None:
    """The memory of a device that is not this machine: its target tells where CPU and GPU have one memory."""
    return target.memory_bytes if target.unified and target.memory_bytes else None


def require_healthy(bundle: Path, *, runs: bool = False) -> None:
    """Raise :class:`EdgeKitError` where the doctor finds this machine bad for the bundle's target.

    Where the service ``runs``, and is stopped before the release is tried, memory is not looked at: it holds what it
    will give back. Nor is what would not keep the service from starting.
    """
    target = open_bundle(bundle).manifest.target
    report = diagnose(Host(), target)
    held = (*_NO_HINDRANCE, *(_MEMORY if runs and target.kind.on_gpu else ()))
    if wrong := [diagnosis for diagnosis in report.of("bad") if diagnosis.subject not in held]:
        told = "; ".join(f"{diagnosis.subject}: {diagnosis.what}" for diagnosis in wrong)
        hint = wrong[0].mend or "`edgekit doctor` says more."
        raise EdgeKitError(f"This machine is not ready for {report.target}: {told}", f"{hint}\n--force goes on.")


def grace_s(layout: Layout) -> float:
    """Return how long running answers get when the service is told to stop, as the site says it, and ten minutes at
    most, for which a stop is waited for; as it ships, where the site's settings can't be read: the service says so
    itself."""
    try:
        return min(load_toml(layout.configuration / SERVE_TOML, SiteSettings).limits.grace_s, _MOST_GRACE_S)
    except ConfigError:
        return SiteSettings().limits.grace_s


class _Booting:
    """Services that are not started or stopped now."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.state, self.enable, self.disable = services.state, services.enable, services.disable
        self.reload, self.make_users, self.ids = services.reload, services.make_users, services.ids
        self.last_lines = services.last_lines

    def start(self, unit: str, seconds: float = 0) -> None:
        """Leave it to systemd."""

    def stop(self, unit: str, seconds: float = 0) -> None:
        """Leave it to systemd."""

    def restart(self, unit: str, seconds: float = 0) -> None:
        """Leave it to systemd."""

    def reset_failed(self, unit: str) -> None:
        """Nothing has been started yet that could have failed."""
