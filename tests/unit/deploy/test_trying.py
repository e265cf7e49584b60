"""What leads to a release that may run: a gate says no, or is passed over and says so."""

from __future__ import annotations

import pytest

from edgekit.bundle import unsealed
from edgekit.bundle.forced import FORCED, forced_at_install
from edgekit.deploy.added import records
from edgekit.deploy.status import status
from edgekit.deploy.trying import Examine, RefusedByFigures, Stage
from edgekit.errors import EngineError, GateRefused
from tests.deploying import NEW, OLD, Site
from tests.unit.check.case import MANIFEST


def test_a_gate_that_is_forced_keeps_its_reason(site: Site) -> None:
    assert Examine("check", NEW).do(site.hands) == {"phase": "check"}
    site.refusing["check"] = GateRefused("the answers differ")
    with pytest.raises(GateRefused, match="differ"):
        Examine("check", NEW).do(site.hands)
    assert Examine("check", NEW, forced=True).do(site.hands) == {"forced": "the answers differ"}
    site.refusing["check"] = EngineError("it can't run")
    with pytest.raises(EngineError):
        Examine("check", NEW, forced=True).do(site.hands)


def test_what_is_forced_is_kept_for_the_bundle_with_its_figures_and_told(site: Site) -> None:
    figures = {"static_bytes": 5, "dynamic_bytes": 7, "budget": [{"name": "dynamic", "passed": False}]}
    site.refusing["profile"] = RefusedByFigures("2 GiB over budget", "a narrower recipe", figures)
    with pytest.raises(GateRefused) as refused:
        site.install(NEW)
    assert refused.value.exit_code == 3
    site.install(NEW, forced=True)
    site.watch()
    record = site.layout.at(records(site.layout, NEW)[FORCED])
    (site.folder / "bundle").mkdir()
    (site.folder / "bundle" / FORCED).symlink_to(record)
    (gate,) = forced_at_install(unsealed(site.folder / "bundle", MANIFEST))
    assert (gate.gate, gate.why, gate.release) == ("profile", "2 GiB over budget", NEW)
    assert gate.figures == {"static_bytes": 5, "dynamic_bytes": 7}
    told = status(site.hands, lambda hands: "").document()
    assert (told["forced"], told["measured"]["dynamic_bytes"]) == (["2 GiB over budget"], 7)


def test_a_release_that_was_there_before_or_is_needed_stays(site: Site) -> None:
    step = Stage("bundle", "", NEW)
    assert "this environment's code" in step.show(site.hands)
    assert "the wheels of w" in Stage("bundle", "w", NEW).show(site.hands)
    step.do(site.hands)
    step.undo(site.hands, before=True)
    assert site.layout.identities() == (NEW,)
    step.undo(site.hands, before=False)
    step.undo(site.hands, before=False)
    assert site.layout.identities() == ()
    site.installed(OLD)
    Stage("bundle", "", OLD).undo(site.hands, before=False)
    assert site.layout.identities() == (OLD,)
