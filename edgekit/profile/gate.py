"""The gate: nothing is installed on a device that was not measured there, or that broke its budget."""

from __future__ import annotations

from collections.abc import Callable

from edgekit import machine
from edgekit.bundle import Bundle
from edgekit.engines.verify import verify_everything
from edgekit.errors import GateRefused
from edgekit.profile.judge import Row, judge
from edgekit.profile.profile import device_here, profile
from edgekit.profile.record import Profile
from edgekit.profile.show import row_text
from edgekit.profile.store import profiles
from edgekit.progress import Progress, silent
from edgekit.target import Target, with_site_budget


def latest(bundle: Bundle) -> Profile | None:
    """Find the newest profile of just this bundle on just this device, with all its target's slots, if there is one."""
    target = bundle.manifest.target
    fingerprint = device_here(target, machine.look()).fingerprint
    for measured in profiles(bundle.path):
        same = measured.bundle.digest == bundle.digest and measured.device.fingerprint == fingerprint
        if same and measured.bundle.slots >= target.slots:
            return measured
    return None


def require_profile(
    bundle: Bundle, progress: Progress = silent, measure: Callable[..., Profile] = profile
) -> tuple[Profile, tuple[Row, ...]]:
    """Return the profile by which ``bundle`` may be installed here, and how it stands to each limit.

    The latest that is valid, where it keeps the budget that holds today (the target's, with the site's laid over it);
    else the bundle is measured now. :class:`GateRefused` where that breaks the budget, too: which limits, and by how
    much. Before either, every file is compared with its hash: figures don't tell whether weights are whole, and
    :class:`~edgekit.errors.BundleError` names the one that is not.
    """
    verify_everything(bundle, progress)
    target = with_site_budget(bundle.manifest.target)
    valid = latest(bundle)
    if valid is not None and all(row.passed for row in judge(valid, target)):
        return valid, judge(valid, target)
    measured = measure(bundle, progress=progress)
    require_within(measured, target)
    return measured, judge(measured, target)


def require_within(measured: Profile, target: Target) -> None:
    """Raise :class:`GateRefused` where a profile breaks its target's budget."""
    broken = [row for row in judge(measured, target) if not row.passed]
    if broken:
        raise GateRefused(
            f"{measured.bundle.model} by {measured.bundle.recipe} breaks the budget of {target.name}: "
            + "; ".join(row_text(row) for row in broken),
            "`edgekit plan` says what would fit: a smaller recipe, fewer slots, a shorter context.",
        )
