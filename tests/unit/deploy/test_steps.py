"""Steps as data: each is written down whole, and read again by whichever run."""

from __future__ import annotations

import json

import pytest

from edgekit.deploy.kinds import KINDS
from edgekit.deploy.marking import Commit
from edgekit.deploy.placing import Place, Switch
from edgekit.deploy.steps import document, load, show
from edgekit.deploy.trying import Examine
from edgekit.errors import ConfigError
from tests.deploying import NEW, OLD, Site

STEPS = [Commit(NEW, OLD, ("over budget",)), Place({"/etc/a": "text"}, ("a.service",)), Examine("check", NEW, True)]


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_read_as_it_was_written(step: Commit | Place | Examine) -> None:
    assert load(KINDS, json.loads(json.dumps(document(step)))) == step


@pytest.mark.parametrize("written", [{"step": "Dance"}, {"step": "Switch"}, {}])
def test_a_step_of_another_version_is_an_error_that_says_so(written: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="A step of the journal can't be read") as error:
        load(KINDS, written)
    assert "with that version" in error.value.hint


def test_what_a_newer_version_added_to_a_step_is_passed_over() -> None:
    assert load(KINDS, {"step": "Switch", "release": NEW, "slowly": True}) == Switch(NEW)


def test_steps_are_shown_and_nothing_is_done(site: Site) -> None:
    lines = show(STEPS, site.hands)
    assert lines == [
        f"Commit: write {site.layout.state}/committed: 222222222222",
        f"Write the units: write {site.folder}/etc/a; systemctl daemon-reload",
        "Try: the golden check, by the code of 222222222222, forced",
    ]
    assert not list(site.folder.iterdir())
