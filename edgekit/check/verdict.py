"""What the golden check said of engines on a GPU that they are for: kept beside them, since the bundle is sealed.

``check.json`` in the engines' folder, of the last check that came to its end: one that breaks down has said nothing. A
check that was forced stands there as it fell out.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import ClassVar

from edgekit.bundle import Bundle
from edgekit.check.check import check
from edgekit.check.checked import Checked
from edgekit.check.components import ComponentFigures
from edgekit.check.measure import Figures
from edgekit.config import load_json
from edgekit.config.writing import write_json
from edgekit.engines.backend import backend_for
from edgekit.engines.lock import VERDICT, place_of
from edgekit.engines.open import open_engine
from edgekit.engines.place import Place
from edgekit.errors import EdgeKitError
from edgekit.machine.system import utc_now
from edgekit.progress import Progress, silent

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a check on a GPU said.

    * ``checked_at``: an ISO 8601 time in UTC
    * ``place``: the GPU that was asked, with its driver
    * ``shortfall``: what fell short, in a sentence; "" where nothing did
    * ``figures`` of whole answers, ``components`` each by itself
    * ``first_load_s``: seconds that opening took in the first check on this GPU; where nothing had opened them before,
      with what TensorRT-RTX compiles then, and keeps
    """

    checked_at: str
    place: Place
    shortfall: str
    figures: Figures
    components: tuple[ComponentFigures, ...]
    first_load_s: float

    FILE_KEYS: ClassVar[Mapping[str, str]] = {
        "made": "checked_at",
        **{name: name for name in ("place", "shortfall", "figures", "components", "first_load_s")},
    }


def check_here(bundle: Bundle, progress: Progress = silent) -> Checked:
    """Do :func:`~edgekit.check.check.check` with the engine that runs ``bundle`` here; what it says of a GPU's engines
    replaces the last verdict beside them. A bundle that can't be written to goes on without."""
    started = monotonic()
    with closing(open_engine(bundle, 1)) as engine:
        seconds = monotonic() - started
        folder = engine.plans
        checked = check(bundle, engine, progress)
    if folder is not None:
        _keep(bundle, checked, folder, seconds)
    return checked


def verdict_of(folder: Path) -> Verdict | None:
    """Read what was said of the engines in ``folder``; None where they were never asked, or what was kept can't be
    read."""
    try:
        return load_json(folder / VERDICT, Verdict)
    except EdgeKitError:
        return None


def _keep(bundle: Bundle, checked: Checked, folder: Path, load_s: float) -> None:
    components = tuple(component.measured for component in checked.components)
    now = utc_now()
    try:
        place, earlier = backend_for(bundle).like(place_of(folder)), verdict_of(folder)
        first = earlier.first_load_s if earlier and earlier.place == place else round(load_s, 3)
        verdict = Verdict(
            checked_at=now,
            place=place,
            shortfall=checked.shortfall,
            figures=checked.figures,
            components=components,
            first_load_s=first,
        )
        write_json(folder / VERDICT, verdict)
    except EdgeKitError as error:
        _log.info("What the check said is not kept: %s", error.message)
