"""The units that watch a release on trial: a timer, which runs as long as something is to be watched, what it
starts every minute, and what a start of the machine runs before the service; and the timer of the nightly check.

They run the code of the release that `state/rescue` names, which is never the one on trial where there is another: what
ends a trial must work where the release on trial is what is broken. They are the same for every release. Each begins in
``/``: a user's would begin in the home folder, where Python looks for modules first.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from string import Template

from edgekit.deploy.layout import SITE, SYSTEM, Layout
from edgekit.deploy.states import RESCUE, TRIAL
from edgekit.deploy.steps import CHECK_TIMER, COMMIT_TIMER

PYTHON = "/usr/bin/python3"
"""Whose site packages a release's code is never mixed with: the interpreter of the device itself."""
BOOT_UNIT, COMMIT_UNIT = "edgekit-boot.service", COMMIT_TIMER.replace(".timer", ".service")
ENABLED = (BOOT_UNIT, COMMIT_TIMER, CHECK_TIMER)
"""Those that start with the machine."""

_TIMER = Template(
    """# Written by `edgekit install`: looks every minute at a release on trial, and ends what was
# interrupted. Where there is neither, its first look stops it.

[Unit]
Description=EdgeKit: watch the release on trial
RequiresMountsFor=$prefix

[Timer]
OnActiveSec=60
OnUnitActiveSec=60
AccuracySec=5

[Install]
WantedBy=timers.target
"""
)
_COMMIT = Template(
    """# Written by `edgekit install`: counts the minutes in which the service answered, and commits, or goes back.

[Unit]
Description=EdgeKit: look at the release on trial
RequiresMountsFor=$prefix

[Service]
Type=oneshot
TimeoutStartSec=1500
WorkingDirectory=/
Environment=$code
ExecStart=$python -s -m edgekit commit --if-healthy $place
"""
)
_BOOT = Template(
    """# Written by `edgekit install`: a machine that was started anew during a trial goes back first.

[Unit]
Description=EdgeKit: end a trial that the last start of the machine began
ConditionPathExists=$trial
RequiresMountsFor=$prefix
Before=edgekit.service

[Service]
Type=oneshot
WorkingDirectory=/
Environment=$code
ExecStart=$python -s -m edgekit rollback --boot $place

[Install]
WantedBy=$wanted
"""
)
_CHECK_TIMER = """# Written by `edgekit install`: when the nightly check is done, which differs from machine to
# machine. One that was off is checked when it is on again; the service is stopped for it in the hours alone that the
# site names.
# Other hours: systemctl edit edgekit-check.timer

[Unit]
Description=EdgeKit: check every night
# The service brings it along, and it goes with the service.
PartOf=edgekit.service

[Timer]
OnCalendar=*-*-* 03:10:00
RandomizedDelaySec=3600
Persistent=true

[Install]
WantedBy=timers.target
"""


def watch_units(layout: Layout) -> dict[str, str]:
    """Return the texts of the units, by their paths on the device."""
    rescue = layout.prefix / "state" / RESCUE
    words = {
        "prefix": str(layout.prefix),
        "trial": str(layout.prefix / "state" / TRIAL),
        "python": PYTHON,
        "code": " ".join((code_of(rescue), *(f"{name}={value}" for name, value in layout.variables.items()))),
        "place": layout.place,
        "wanted": "default.target" if layout.is_home else "multi-user.target",
    }
    texts = {COMMIT_TIMER: _TIMER, COMMIT_UNIT: _COMMIT, BOOT_UNIT: _BOOT}
    written = {name: text.substitute(words) for name, text in texts.items()}
    if not layout.is_home:  # a laptop sleeps at night
        written[CHECK_TIMER] = _CHECK_TIMER
    folder = "/" / layout.unit.parent.relative_to(layout.root)
    return {str(folder / name): text for name, text in written.items()}


def code_of(release: PurePosixPath) -> str:
    """Return the variables by which a unit runs the code of a release."""
    return f"PYTHONPATH={release / SITE}:{release / SYSTEM} PYTHONDONTWRITEBYTECODE=1"
