"""A check on a device: how its answers fell out, what gave them, and whether the files were compared before."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from edgekit import config, machine
from edgekit.bundle import Bundle
from edgekit.check import Checked, check
from edgekit.check.verdict import check_here
from edgekit.engines.open import engine_here
from edgekit.engines.verify import Verified
from edgekit.profile.profile import device_here
from edgekit.profile.record import ProfiledDevice
from edgekit.progress import Progress, silent
from edgekit.target.kinds import PROCESSOR


@dataclass(frozen=True)
class DeviceCheck:
    """A check on a device has the device that answered, and what was compared with its hash; None where nothing was."""

    checked: Checked
    device: ProfiledDevice
    verified: Verified | None

    def document(self) -> dict[str, Any]:
        """Return what ``edgekit check --json`` writes."""
        verified = self.verified and self.verified.document()
        return {**self.checked.document(), "device": config.dump(self.device), "verified": verified}


def check_on_device(
    bundle: Bundle, verified: Verified | None = None, *, processor: bool = False, progress: Progress = silent
) -> DeviceCheck:
    """Check ``bundle`` with the engine that runs it here; with ``processor``, with this machine's, whatever it is for.

    Errors as of :func:`~edgekit.check.check.check` and of opening an engine.
    """
    if processor:
        with closing(engine_here(bundle)) as engine:
            checked = check(bundle, engine, progress)
    else:
        checked = check_here(bundle, progress)
    target = bundle.manifest.target
    device = device_here(replace(target, engine=PROCESSOR) if checked.stood_in else target, machine.look())
    return DeviceCheck(checked, device, verified)
