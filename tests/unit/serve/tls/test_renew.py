"""A certificate is renewed in time, by whatever the clock says, and lasts until it is renewed again."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from edgekit.errors import ConfigError
from edgekit.machine.moment import RELEASED
from edgekit.serve.tls.authority import Authority, make_authority
from edgekit.serve.tls.leaf import Leaf, leaf_file, make_leaf, write_leaf
from edgekit.serve.tls.names import Names, parse_names
from edgekit.serve.tls.renew import DAYS, LONGEST_DAYS, Due, examine, next_leaf, reason_to_renew, wanted_names
from tests.unit.serve.tls.conftest import at

MADE = RELEASED + timedelta(days=100)
EPOCH = at("1970-01-01T00:00:20")


@pytest.fixture
def authority(ward: Names) -> Authority:
    return make_authority(ward, MADE)


@pytest.fixture
def leaf(authority: Authority, ward: Names) -> Leaf:
    return make_leaf(authority, ward, MADE, DAYS)


def _reason(leaf: Leaf | None, authority: Authority, clock: datetime) -> str:
    return reason_to_renew(leaf, authority, authority.names, clock)


def _renewed(leaf: Leaf | None, authority: Authority, clock: datetime) -> Leaf:
    reason = _reason(leaf, authority, clock)
    return next_leaf(Due(leaf, authority.names, reason), authority, clock) if reason or not leaf else leaf


@pytest.mark.parametrize(("days", "due"), [(0, False), (59, False), (61, True), (89, True), (1000, True)])
def test_it_is_due_when_a_third_of_its_life_is_left(leaf: Leaf, authority: Authority, days: int, due: bool) -> None:
    assert bool(_reason(leaf, authority, MADE + timedelta(days=days))) == due


def test_a_service_that_looks_daily_never_shows_one_that_has_ended(authority: Authority) -> None:
    leaf, made = None, 0
    for day in range(3650):
        clock = MADE + timedelta(days=day)
        renewed = _renewed(leaf, authority, clock)
        made += renewed is not leaf
        leaf = renewed
        assert leaf.begins < clock < leaf.ends
    assert made < 3650 / 55


def test_one_that_was_off_for_years_renews_at_once(leaf: Leaf, authority: Authority) -> None:
    clock = MADE + timedelta(days=1000)
    renewed = _renewed(leaf, authority, clock)
    assert renewed.begins < clock < renewed.ends


def test_a_clock_of_1970_renews_nothing_that_is_there(leaf: Leaf, authority: Authority) -> None:
    for clock in (EPOCH, MADE - timedelta(days=50)):
        assert not _reason(leaf, authority, clock)


def test_the_first_one_of_a_clock_of_1970_is_valid_today_by_right_clocks(ward: Names) -> None:
    authority = make_authority(ward, EPOCH)
    leaf = _renewed(None, authority, EPOCH)
    assert leaf.begins <= RELEASED < RELEASED + timedelta(days=396) < leaf.ends
    assert not _reason(leaf, authority, RELEASED + timedelta(days=200)), "the clock was set right, and it is good"
    assert _renewed(leaf, authority, RELEASED + timedelta(days=500)).ends > RELEASED + timedelta(days=500)


def test_one_made_in_1970_begins_by_the_latest_day_that_is_known(ward: Names, authority: Authority) -> None:
    """The names changed, say, while the clock is wrong: the last certificate knows more of the time than it."""
    last = make_leaf(authority, ward, MADE + timedelta(days=300), DAYS)
    wanted = ward | parse_names(["www.ward7"], [])
    renewed = next_leaf(Due(last, wanted, "it lacks www.ward7"), authority, EPOCH)
    assert timedelta() <= last.begins - renewed.begins < timedelta(days=1)
    assert renewed.ends - renewed.begins == timedelta(days=LONGEST_DAYS)


def test_a_clock_that_went_back_is_covered_by_both_of_its_readings(ward: Names, authority: Authority) -> None:
    """It was wrong when the last one was made, or it is wrong now; neither is known."""
    before, after = MADE + timedelta(days=10), MADE + timedelta(days=200)
    last = make_leaf(authority, ward, after, DAYS)
    renewed = _renewed(last, authority, before)
    assert renewed is not last
    for today in (before, after):
        assert renewed.begins < today < renewed.ends
    assert not _reason(renewed, authority, before + timedelta(days=1)), "a shorter one follows in its time alone"


def test_none_lasts_longer_than_browsers_take(ward: Names, authority: Authority) -> None:
    for clock in (EPOCH, MADE, MADE + timedelta(days=500)):
        for last in (None, make_leaf(authority, ward, MADE + timedelta(days=700), DAYS)):
            leaf = next_leaf(Due(last, ward, "due"), authority, clock)
            assert timedelta(days=1) < leaf.ends - leaf.begins <= timedelta(days=397)


def test_an_authority_that_has_ended_makes_none(ward: Names, authority: Authority) -> None:
    with pytest.raises(ConfigError, match="authority ended") as caught:
        next_leaf(Due(None, ward, "there is none"), authority, authority.ends)
    assert "--force" in caught.value.hint
    next_leaf(Due(None, ward, "there is none"), authority, authority.ends - timedelta(minutes=1))


def test_another_authoritys_is_due(ward: Names, authority: Authority) -> None:
    foreign = make_leaf(make_authority(ward, MADE), ward, MADE, DAYS)
    assert "another authority's" in _reason(foreign, authority, MADE)


def test_what_a_device_is_called_now_is_taken_as_far_as_it_may_be_signed(ward: Names) -> None:
    authority = make_authority(ward | parse_names([], ["10.0.5.0/24"]), MADE)
    here = parse_names(["ward7", "ward8"], ["10.0.5.3", "10.0.6.3"])
    wanted = wanted_names(authority, here, None)
    assert wanted == ward | parse_names([], ["10.0.5.3"])
    leaf = make_leaf(authority, wanted, MADE, DAYS)
    moved = wanted_names(authority, parse_names([], ["10.0.5.4"]), leaf)
    assert "it lacks 10.0.5.4" in reason_to_renew(leaf, authority, moved, MADE)
    gone = wanted_names(authority, Names(), leaf)
    assert not reason_to_renew(leaf, authority, gone, MADE), "that an interface went is no reason"
    given = make_leaf(authority, wanted | parse_names(["www.ward7"], []), MADE, DAYS)
    assert "www.ward7" in wanted_names(authority, here, given).dns, "what was given since stays"


def test_a_damaged_one_is_due(tmp_path: Path, ward: Names, leaf: Leaf, authority: Authority) -> None:
    assert examine(tmp_path, authority, ward, MADE).reason == "there is none"
    write_leaf(tmp_path, leaf)
    due = examine(tmp_path, authority, ward, MADE)
    assert due.leaf
    assert not due.reason
    leaf_file(tmp_path).write_bytes(b"")
    assert "damaged" in examine(tmp_path, authority, ward, MADE).reason
    write_leaf(tmp_path, leaf)
    leaf_file(tmp_path).chmod(0o644)
    assert "mode 644" in examine(tmp_path, authority, ward, MADE).reason
