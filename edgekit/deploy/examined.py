"""A release tries its own bundle: run as a process of its own, by the release's interpreter and code.

``python -m edgekit.deploy.examined PHASE BUNDLE`` says on stdout, as :mod:`edgekit.child` has it, one object: what came
of the phase, or ``refused``, a gate's message and hint.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from edgekit.bundle import Bundle, open_bundle
from edgekit.check import require_answers
from edgekit.child import speak
from edgekit.deploy.added import let_read
from edgekit.deploy.trying import CHECK, COMPILE, PROFILE
from edgekit.engines.believed import is_whole
from edgekit.engines.lock import find_form
from edgekit.errors import GateRefused
from edgekit.pipeline.prepared import prepare_here
from edgekit.profile import JudgedProfile, profile, require_within
from edgekit.profile.checked import check_on_device
from edgekit.profile.gate import latest
from edgekit.progress import Progress
from edgekit.target import with_site_budget


def compile_where_lacking(bundle: Bundle, progress: Progress) -> dict[str, Any]:
    """Compile, unless a form for this machine is there, all of it as it was made; errors where the target needs one and
    there can be none."""
    form, _ = find_form(bundle)
    if form is not None and is_whole(bundle, form):
        return {"compiled": False}
    prepared = prepare_here(bundle, progress)
    failure = prepared.failure or (prepared.refused.why if prepared.refused and prepared.needs_plans else None)
    if failure is not None:
        raise failure
    return {"compiled": prepared.compiled is not None, "why": prepared.why}


def check_answers(bundle: Bundle, progress: Progress) -> dict[str, Any]:
    """Ask the golden questions; :class:`GateRefused` where the answers fall short."""
    checked = check_on_device(bundle, progress=progress).checked
    require_answers(checked)
    return {"stood_in": checked.stood_in}


def measure(bundle: Bundle, progress: Progress) -> dict[str, Any]:
    """Measure, unless a profile of just this bundle here is within the budget; "refused" where it isn't, with what was
    measured."""
    target = with_site_budget(bundle.manifest.target)
    kept = latest(bundle)
    if kept is None or not JudgedProfile(kept, target).fits:
        kept = profile(bundle, progress=progress)
    document = JudgedProfile(kept, target).document()
    figures = {name: document[name] for name in ("static_bytes", "dynamic_bytes", "budget")}
    try:
        require_within(kept, target)
    except GateRefused as refused:
        return {"refused": [refused.message, refused.hint], "figures": figures}
    return figures


PHASES: dict[str, Callable[[Bundle, Progress], dict[str, Any]]] = {
    COMPILE: compile_where_lacking,
    CHECK: check_answers,
    PROFILE: measure,
}


def examine(phase: str, bundle: Path, progress: Progress) -> dict[str, Any]:
    """Do a phase here; what a gate says is part of what comes of it. The service can read what is added."""
    try:
        return PHASES[phase](open_bundle(bundle), progress)
    except GateRefused as refused:
        return {"refused": [refused.message, refused.hint]}
    finally:
        let_read(bundle)


if __name__ == "__main__":
    speak(lambda say: [examine(sys.argv[1], Path(sys.argv[2]), partial(say, "progress"))])
