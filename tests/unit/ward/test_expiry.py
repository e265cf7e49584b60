"""What nobody touched goes after its days, by time that the device ran through, and never because a clock jumped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.errors import EdgeKitError
from edgekit.machine.moment import Moment
from edgekit.ward.audit.audit import Audit
from edgekit.ward.audit.here import audit_key
from edgekit.ward.audit.verify import lines
from edgekit.ward.expiry import DAY_MS, Expiry, Ran, advance
from edgekit.ward.ward import Ward
from tests.audits import BEGUN_MS, KEY, opened
from tests.wards import MASTER

OWNER = "account 1"
HOUR_MS = DAY_MS // 24
IN_1970, IN_2099 = 60_000, 4_080_000_000_000


class Device:
    """A device with a clock that does what clocks do."""

    def __init__(self) -> None:
        self.boot, self.up_ms, self.wall_ms = 1, 0, BEGUN_MS
        self.synchronised: bool | None = True

    def __call__(self) -> Moment:
        return Moment(boot=f"boot {self.boot}", up_ms=self.up_ms, wall_ms=self.wall_ms, synchronised=self.synchronised)

    def run(self, ms: int) -> None:
        self.up_ms += ms
        self.wall_ms += ms

    def off(self, ms: int) -> None:
        """Off for so long, with a clock that has a battery."""
        self.boot += 1
        self.up_ms = 5000
        self.wall_ms += ms


@pytest.fixture
def device() -> Device:
    return Device()


@pytest.fixture
def tick(ward: Ward, tmp_path: Path, device: Device) -> Callable[..., list[str]]:
    """One tick; the labels of what is gone by it."""
    audit = opened(tmp_path / "audit")

    def tick(days: int = 30) -> list[str]:
        before = {one.id: one.label for one in ward.conversations.list(OWNER)}
        expired = Expiry(ward, audit, days, device).tick()
        after = {one.id for one in ward.conversations.list(OWNER)}
        assert {one.id for one in expired} == before.keys() - after
        return [before[one.id] for one in expired]

    return tick


def _ran(device: Device, tick: Callable[..., list[str]], days: float) -> list[str]:
    """All that is gone within so many days of running."""
    gone: list[str] = []
    while days > 0:
        device.run(round(min(days, 2) * DAY_MS))
        gone += tick()
        days -= 2
    return gone


def test_what_nobody_touches_goes_after_its_days(ward: Ward, device: Device, tick: Callable[..., list[str]]) -> None:
    for label in ("old", "used"):
        ward.conversations.create(OWNER, label=label)
    (used, _) = ward.conversations.list(OWNER)
    assert tick() == []
    assert _ran(device, tick, 20) == []
    turn = ward.turns.add(OWNER, used.id, "and now?")
    ward.turns.finish(turn.id, "yes", "whole")
    assert tick() == []
    assert _ran(device, tick, 9.9) == []
    assert _ran(device, tick, 0.2) == ["old"]
    assert _ran(device, tick, 19.8) == []
    assert _ran(device, tick, 0.2) == ["used"]


def test_it_is_told_in_the_audit_and_its_key_is_gone(
    ward: Ward, device: Device, tick: Callable[..., list[str]], tmp_path: Path
) -> None:
    id = ward.conversations.create(OWNER).id
    tick()
    device.run(31 * DAY_MS)
    tick()
    (line,) = lines(tmp_path / "audit", KEY)
    assert (line.fields["event"], line.fields["who"]) == ("conversation_expired", "the service")
    assert (line.fields["conversation"], line.fields["days"]) == (id, 30)
    assert ward.database.row("SELECT 1 FROM keys.keys WHERE conversation = ?", (id,)) is None
    assert ward.database.row("SELECT 1 FROM keys.deleted WHERE conversation = ?", (id,))
    assert ward.database.row("SELECT count(*) FROM main.ages") == (0,)


def test_where_the_audit_can_t_tell_it_nothing_goes(
    ward: Ward, device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ward.conversations.create(OWNER)
    audit = Audit.open(tmp_path / "audit", audit_key(MASTER), tell=lambda head, day: None)
    expiry = Expiry(ward, audit, 30, device)
    expiry.tick()
    device.run(31 * DAY_MS)

    def refuse(*arguments: object, **facts: object) -> None:
        raise EdgeKitError("No space is left", "Make room.")

    with monkeypatch.context() as patch, pytest.raises(EdgeKitError):
        patch.setattr(Audit, "note", refuse)
        expiry.tick()
    assert len(ward.conversations.list(OWNER)) == 1
    assert len(expiry.tick()) == 1


def test_whose_it_was_and_with_whom_it_was_shared_is_told(ward: Ward, device: Device, tmp_path: Path) -> None:
    anna, ben = ward.accounts.add("anna", "doctor"), ward.accounts.add("ben", "doctor")
    id = ward.conversations.create(anna.owner).id
    ward.shares.give(anna.owner, id, ben, may_ask=True)
    expiry = Expiry(ward, opened(tmp_path / "audit"), 1, device)
    expiry.tick()
    device.run(DAY_MS)
    (expired,) = expiry.tick()
    assert (expired.id, expired.owner, expired.others) == (id, anna.owner, (ben.owner,))


def test_without_days_nothing_goes_and_time_is_counted(
    ward: Ward, device: Device, tick: Callable[..., list[str]]
) -> None:
    ward.conversations.create(OWNER, label="old")
    tick(0)
    device.run(100 * DAY_MS)
    assert tick(0) == []
    assert tick(101) == []
    assert tick(99) == ["old"]


@pytest.mark.parametrize("wall_ms", [IN_1970, IN_2099, BEGUN_MS - 400 * DAY_MS, BEGUN_MS + 400 * DAY_MS])
@pytest.mark.parametrize(("synchronised", "anew"), [(True, True), (True, False), (False, True)])
def test_a_clock_that_jumps_takes_nothing(
    ward: Ward, device: Device, tick: Callable[..., list[str]], wall_ms: int, synchronised: bool, anew: bool
) -> None:
    """In the middle, or across a start; also where a time server says so, but for a day."""
    ward.conversations.create(OWNER, label="old")
    tick()
    assert _ran(device, tick, 10) == []
    if anew:
        device.off(0)
    device.wall_ms, device.synchronised = wall_ms, synchronised
    ward.conversations.create(OWNER, label="made by a wrong clock")
    assert tick() == []
    assert _ran(device, tick, 18.9) == []
    device.wall_ms, device.synchronised = BEGUN_MS + 29 * DAY_MS, True
    assert tick() == [], "and jumps back"
    assert _ran(device, tick, 1.2) == ["old"]
    assert _ran(device, tick, 8.7) == [], "what a wrong clock dated is as old as it is"
    assert _ran(device, tick, 1.3) == ["made by a wrong clock"]


def test_a_device_that_is_off_at_night_counts_its_nights_where_a_time_server_tells(
    ward: Ward, device: Device, tick: Callable[..., list[str]]
) -> None:
    ward.conversations.create(OWNER, label="old")
    tick()
    for day in range(30):
        assert tick() == [], day
        device.run(8 * HOUR_MS)
        assert tick() == [], day
        device.off(16 * HOUR_MS)
    assert tick() == ["old"]


def test_without_one_only_running_counts(ward: Ward, device: Device, tick: Callable[..., list[str]]) -> None:
    device.synchronised = False
    ward.conversations.create(OWNER, label="old")
    tick()
    for _ in range(40):
        device.run(8 * HOUR_MS)
        assert tick() == []
        device.off(16 * HOUR_MS)
        assert tick() == []


def test_a_start_in_1970_counts_the_night_once_the_clock_is_set() -> None:
    device = Device()
    ran = advance(None, device())
    device.off(10 * HOUR_MS)
    right_ms = device.wall_ms
    device.wall_ms, device.synchronised = IN_1970, False
    ran = advance(ran, device())
    assert ran.counted_ms == 0
    device.run(HOUR_MS)
    ran = advance(ran, device())
    assert ran.counted_ms == HOUR_MS
    device.wall_ms, device.synchronised = right_ms + HOUR_MS + 60_000, True
    device.up_ms += 60_000
    ran = advance(ran, device())
    assert ran.counted_ms == 11 * HOUR_MS + 60_000
    assert not ran.off


def test_a_year_in_a_cupboard_counts_a_day() -> None:
    device = Device()
    ran = advance(None, device())
    device.off(365 * DAY_MS)
    assert advance(ran, device()).counted_ms == DAY_MS


def test_a_system_that_tells_no_start_counts_nothing_by_itself() -> None:
    moments = [Moment(boot="", up_ms=up_ms, wall_ms=BEGUN_MS, synchronised=None) for up_ms in (0, 10 * DAY_MS)]
    assert advance(advance(None, moments[0]), moments[1]).counted_ms == 0


STEPS = st.tuples(
    st.sampled_from(["run", "off", "set"]),
    st.integers(0, 40 * DAY_MS),
    st.sampled_from([True, False, None]),
)


@given(st.lists(STEPS, max_size=30))
def test_whatever_a_clock_does_no_more_counts_than_was_run_and_a_day_a_start(
    steps: list[tuple[str, int, bool | None]],
) -> None:
    device = Device()
    ran: Ran = advance(None, device())
    run_ms = starts = 0
    for step, ms, synchronised in steps:
        device.synchronised = synchronised
        if step == "run":
            device.run(ms)
            run_ms += ms
        elif step == "off":
            device.off(ms)
            starts += 1
        else:
            device.wall_ms = ms * 1000
        before, ran = ran, advance(ran, device())
        assert ran.counted_ms >= before.counted_ms
        assert ran.counted_ms <= run_ms + starts * DAY_MS
