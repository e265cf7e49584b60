"""What is noted of a release, back again, and what is cleared away."""

from __future__ import annotations

import pytest

from edgekit.deploy.marking import BeginTrial, Commit, Prune, discard, needed
from edgekit.deploy.states import read_committed, read_trial, rescue
from edgekit.deploy.trial import commit, left_of
from tests.deploying import NEW, OLD, THIRD, Site


def test_a_trial_is_watched_by_the_code_of_the_release_before(site: Site) -> None:
    step = BeginTrial(NEW, OLD)
    site.installed(OLD)
    before = step.before(site.hands)
    assert "to go back to 111111111111" in step.show(site.hands)
    step.do(site.hands)
    trial = read_trial(site.layout)
    assert trial is not None
    assert len(trial.boot) > 10
    assert rescue(site.layout) == OLD
    assert site.services.state("edgekit-commit.timer").runs
    step.undo(site.hands, before)
    assert read_trial(site.layout) is None
    assert not site.services.state("edgekit-commit.timer").runs


def test_a_commit_that_can_not_go_on_is_taken_back(site: Site) -> None:
    site.installed(OLD).install(NEW)
    step = Commit(NEW, OLD)
    before, trial = step.before(site.hands), read_trial(site.layout)
    step.do(site.hands)
    assert (read_trial(site.layout), rescue(site.layout)) == (None, NEW)
    step.undo(site.hands, before)
    assert (read_trial(site.layout), rescue(site.layout)) == (trial, OLD)
    committed = read_committed(site.layout)
    assert committed is not None
    assert committed.release == OLD
    assert site.services.state("edgekit-commit.timer").runs


def test_a_first_commit_that_can_not_go_on_leaves_none(site: Site) -> None:
    site.install(OLD)
    step = Commit(OLD, "")
    before = step.before(site.hands)
    step.do(site.hands)
    step.undo(site.hands, before)
    assert read_committed(site.layout) is None


def test_what_something_may_go_back_to_stays(site: Site) -> None:
    site.installed(OLD).install(NEW)
    site.layout.release(THIRD).mkdir()
    site.layout.partial("4" * 64).mkdir()
    assert needed(site.layout) == {OLD, NEW}
    assert Prune().show(site.hands).endswith("{333333333333}")
    Prune().do(site.hands)
    assert sorted(path.name for path in site.layout.releases.iterdir()) == [OLD, NEW]
    assert Prune().show(site.hands) == "there are none"


def test_what_can_not_be_removed_keeps_no_release_from_being_committed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    site.installed(OLD).install(NEW)
    site.layout.release(THIRD).mkdir()
    site.layout.partial("4" * 64).mkdir()
    monkeypatch.setattr("shutil.rmtree", refuse)
    left = left_of(commit(site.hands))
    assert [path in told for path, told in zip(("3.partial", "4.partial"), left, strict=True)] == [True, True]
    assert site.standing.state == "committed"
    assert site.layout.identities() == (OLD, NEW)


def test_a_release_that_is_being_removed_has_no_release_s_name(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.installed(OLD).layout.release(NEW).mkdir()

    def cut(path: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("shutil.rmtree", cut)
        discard(site.layout, NEW)
    assert site.layout.identities() == (OLD,)
    discard(site.layout, NEW)
    assert not site.layout.partial(NEW).exists()
