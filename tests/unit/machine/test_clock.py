"""The time as the system keeps it, of recorded machines."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.machine.clock import NetworkTime, hardware_clocks, network_time
from edgekit.machine.programs import Reply
from tests.unit.machine.recordings import NOW, NTP, ORIN6, VM


@pytest.mark.parametrize(
    ("answer", "time"),
    [
        (NTP, NetworkTime(synchronised=True, service=True)),
        ("CanNTP=no\nNTPSynchronized=no\n", NetworkTime(synchronised=False, service=False)),
        ("Timezone=Etc/UTC\n", NetworkTime(synchronised=None, service=None)),
        (Reply(1, "", "System has not been booted with systemd"), NetworkTime(synchronised=None, service=None)),
    ],
)
def test_whether_a_server_confirmed_it(answer: str | Reply, time: NetworkTime, tmp_path: Path) -> None:
    assert network_time(VM.changed(answers={"timedatectl show": answer}).at(tmp_path)) == time


def test_hardware_clocks(tmp_path: Path) -> None:
    assert hardware_clocks(VM.at(tmp_path / "vm")) == []
    odd = ORIN6.changed(files={"sys/class/rtc/rtc1/since_epoch": "never\n"})
    assert hardware_clocks(odd.at(tmp_path / "orin")) == [int(NOW)]
