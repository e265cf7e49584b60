"""What decides after a power cut: the trial, what was committed, what failed, whose code ends a trial."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgekit.deploy import states
from edgekit.deploy.journal import make_folder
from edgekit.deploy.layout import Layout
from edgekit.deploy.states import Committed, Standing, Trial
from edgekit.errors import ConfigError, GateRefused
from tests.deploying import NEW, OLD


@pytest.fixture
def layout(tmp_path: Path, no_waiting_for_the_disk: None) -> Layout:
    layout = Layout(tmp_path)
    make_folder(layout.state)
    return layout


def test_an_empty_machine_has_nothing(layout: Layout) -> None:
    assert states.standing(layout) == Standing("", None, None, ())
    assert states.standing(layout).state == ""
    assert states.rescue(layout) == ""


def test_what_is_noted_is_read_again(layout: Layout) -> None:
    trial = Trial(release=NEW, previous=OLD, boot="b", began="2026", healthy=3, forced=("over budget",))
    committed = Committed(release=OLD, at="2025")
    states.write_trial(layout, trial)
    states.write_committed(layout, committed)
    states.point(layout.current, f"releases/{NEW}")
    assert states.standing(layout) == Standing(NEW, trial, committed, ())
    assert states.standing(layout).state == "trial"
    states.end_trial(layout)
    states.end_trial(layout)
    assert states.standing(layout) == Standing(NEW, None, committed, ())
    assert states.standing(layout).state == "committed"


def test_what_a_newer_version_added_to_a_note_is_passed_over(layout: Layout) -> None:
    """And the rest, where it means something else by then: going back needs the two releases."""
    document = {"release": NEW, "previous": OLD, "boot": "b", "began": "2026", "healthy": 3, "mood": ["good"]}
    (layout.state / "trial").write_text(json.dumps(document))
    (layout.state / "committed").write_text(json.dumps({"release": OLD, "by": "anna"}))
    assert states.read_trial(layout) == Trial(release=NEW, previous=OLD, boot="b", began="2026", healthy=3)
    assert states.read_committed(layout) == Committed(release=OLD)
    (layout.state / "trial").write_text(json.dumps(document | {"boot": {"id": "b"}}))
    assert states.read_trial(layout) == Trial(release=NEW, previous=OLD)


def test_a_trial_that_can_not_be_read_is_told_by_the_links(layout: Layout) -> None:
    assert states.trial_to_end(layout) is None
    (layout.state / "trial").write_text("[]")
    states.point(layout.current, f"releases/{NEW}")
    states.set_rescue(layout, OLD)
    with pytest.raises(ConfigError, match="release"):  # that one is not here
        states.trial_to_end(layout)
    for release in (OLD, NEW):
        layout.release(release).mkdir(parents=True)
    assert states.trial_to_end(layout) == Trial(release=NEW, previous=OLD)
    states.point(layout.current, f"releases/{OLD}")
    with pytest.raises(ConfigError, match="release"):  # the first release watches over itself: nothing was before it
        states.trial_to_end(layout)
    states.write_committed(layout, Committed(release=OLD))
    assert states.trial_to_end(layout) == Trial(release="", previous=OLD), "it was not switched yet"


def test_what_can_not_be_read_is_a_problem_and_not_an_error(layout: Layout) -> None:
    (layout.state / "trial").write_text("{")
    layout.current.symlink_to("/etc")
    told = states.standing(layout)
    assert (told.running, told.trial) == ("", None)
    assert len(told.problems) == 2


def test_what_failed_is_remembered_once_and_may_be_tried_again(layout: Layout) -> None:
    states.remember_bad(layout, OLD)
    states.remember_bad(layout, NEW)
    states.remember_bad(layout, OLD)
    assert states.bad(layout) == (NEW, OLD)
    with pytest.raises(GateRefused, match=f"release {OLD[:12]} failed"):
        states.require_not_bad(layout, OLD)
    states.forget_bad(layout, OLD)
    states.forget_bad(layout, OLD)
    states.require_not_bad(layout, OLD)
    assert states.bad(layout) == (NEW,)


def test_the_link_to_whose_code_ends_a_trial_is_relative(layout: Layout) -> None:
    states.set_rescue(layout, OLD)
    assert (layout.state / "rescue").readlink() == Path("../releases", OLD), "an image's tree may be anywhere"
    assert states.rescue(layout) == OLD
    states.set_rescue(layout, NEW)
    assert states.rescue(layout) == NEW
    states.set_rescue(layout, "")
    assert states.rescue(layout) == ""


def test_a_link_is_replaced_also_where_somebody_was_killed_while_replacing_it(layout: Layout) -> None:
    (layout.current.parent / ".current.new").symlink_to("elsewhere")
    states.point(layout.current, "releases/1")
    states.point(layout.current, "releases/2")
    assert layout.current.readlink() == Path("releases/2")
    assert [path.name for path in layout.current.parent.iterdir() if path.name.startswith(".")] == []
