"""What the golden check said of engines on the GPU that they are for: kept beside them, since the bundle is sealed.

``check.json`` in the engines' folder, of the last check. A check that was forced stands there as it fell out.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

from edgekit import config
from edgekit.bundle import Bundle
from edgekit.check.check import Checked
from edgekit.check.components import Measured
from edgekit.check.measure import Figures
from edgekit.engines.lock import find_form
from edgekit.errors import EdgeKitError
from edgekit.files import write_text

VERDICT = "check.json"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verdict:
    """``shortfall``: what fell short, in a sentence; "" where nothing did. ``figures`` are of whole answers."""

    shortfall: str
    figures: Figures
    components: tuple[Measured, ...]


def keep_verdict(bundle: Bundle, checked: Checked) -> None:
    """Beside the engines of this machine's GPU that ``checked`` is of; nothing where a processor stood in for it.

    A bundle that can't be written to goes on without.
    """
    if bundle.manifest.target.engine != "tensorrt" or checked.stood_in:
        return
    folder, _ = find_form(bundle)
    if folder is None:
        return
    try:
        verdict = Verdict(checked.shortfall, checked.figures, tuple(one.measured for one in checked.components))
        write_text(folder / VERDICT, json.dumps(config.dump(verdict), indent=1) + "\n")
    except EdgeKitError as error:
        _log.info("What the check said is not kept: %s", error.message)


def verdict_of(folder: Path) -> Verdict | None:
    """Of the engines in ``folder``; None where they were never asked, or what was kept can't be read."""
    try:
        return config.load_json(folder / VERDICT, Verdict)
    except EdgeKitError:
        return None
