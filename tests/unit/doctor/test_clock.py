"""The clocks: what the check says of one that is wrong, or that nobody confirmed."""

from __future__ import annotations

import pytest

from edgekit.doctor.clock import clock
from tests.unit.doctor.conftest import Says
from tests.unit.machine.recordings import (
    NOW,
    NTP,
    ORIN6,
    VM,
)


def test_a_clock_that_started_in_1970(says: Says) -> None:
    [diagnosis] = says(clock, ORIN6.changed(now=lambda: 30.0, without=("rtc",)))
    assert diagnosis[:2] == (
        "bad",
        "the clock says 1970-01-01 00:00 UTC, yet EdgeKit's files are of 2026-09-14 14:13 UTC",
    )
    assert "timedatectl set-ntp true" in diagnosis[2]


def test_a_clock_before_the_release_whose_files_were_written_under_it(says: Says) -> None:
    release = 1_800_000_000.0  # in January 2027; the recordings' files are of September 2026
    [diagnosis] = says(clock, VM.changed(released=release))
    assert diagnosis[:2] == (
        "bad",
        "the clock says 2026-09-21 14:13 UTC, yet this EdgeKit was released on 2027-01-15",
    )
    assert says(clock, VM.changed(released=NOW + 3600)) == [
        ("good", "2026-09-21 14:13 UTC, synchronised with a time server", "")
    ]


def test_a_hardware_clock_without_a_battery(says: Says) -> None:
    diagnoses = says(clock, ORIN6.changed(files={"sys/class/rtc/rtc0/since_epoch": "86400\n"}))
    assert [state for state, _, _ in diagnoses] == ["good", "bad"]
    assert "hwclock --systohc" in diagnoses[1][2]
    second = {"sys/class/rtc/rtc0/since_epoch": "86400\n", "sys/class/rtc/rtc1/since_epoch": f"{int(NOW)}\n"}
    assert len(says(clock, ORIN6.changed(files=second))) == 1


@pytest.mark.parametrize(
    ("text", "state", "mend"),
    [
        (NTP, "good", ""),
        (NTP.replace("Synchronized=yes", "Synchronized=no"), "unknown", "timedatectl set-ntp true"),
        (NTP.replace("Synchronized=yes", "Synchronized=no").replace("CanNTP=yes", "CanNTP=no"), "unknown", "timesyncd"),
        ("garbage", "unknown", "date"),
    ],
)
def test_whether_a_server_confirmed_the_time(says: Says, text: str, state: str, mend: str) -> None:
    [diagnosis] = says(clock, VM.changed(answers={"timedatectl show": text}))
    assert diagnosis[0] == state
    assert mend in diagnosis[2]
