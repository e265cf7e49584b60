"""What leads to a release that may run: a gate says no, or is passed over and says so."""

from __future__ import annotations

import pytest

from edgekit.deploy.trying import Examine, Stage
from edgekit.errors import EngineError, GateRefused
from tests.deploying import NEW, OLD, Site


def test_a_gate_that_is_forced_keeps_its_reason(site: Site) -> None:
    assert Examine("check", NEW).do(site.hands) == {"phase": "check"}
    site.refusing["check"] = GateRefused("the answers differ")
    with pytest.raises(GateRefused, match="differ"):
        Examine("check", NEW).do(site.hands)
    assert Examine("check", NEW, forced=True).do(site.hands) == {"forced": "the answers differ"}
    site.refusing["check"] = EngineError("it can't run")
    with pytest.raises(EngineError):
        Examine("check", NEW, forced=True).do(site.hands)


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
