"""Automatic updates, by what apt and dpkg print."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.machine.programs import Reply
from edgekit.machine.updates import Updates, automatic_updates, not_held
from tests.unit.machine.recordings import DUMP, HAS_UPDATES, VM


@pytest.mark.parametrize(
    ("dump", "expected"),
    [
        (DUMP, Updates(True)),
        (DUMP.replace('Upgrade "1"', 'Upgrade "0"'), Updates(False)),
        (DUMP.replace('APT::Periodic::Unattended-Upgrade "1";\n', ""), Updates(False)),
        (DUMP + 'APT::Periodic::Enable "0";\n', Updates(False)),
        (DUMP + 'APT::Periodic::Enable "1";\n', Updates(True)),
        (
            DUMP
            + 'Unattended-Upgrade::Package-Blacklist:: "nvidia-";\nUnattended-Upgrade::Package-Blacklist:: "libn";\n',
            Updates(True, ("nvidia-", "libn")),
        ),
        ("garbage", Updates(False)),
    ],
)
def test_whether_updates_run_and_what_they_leave(tmp_path: Path, dump: str, expected: Updates) -> None:
    host = VM.changed(files=HAS_UPDATES, answers={"apt-config dump": dump}).at(tmp_path)
    assert automatic_updates(host) == expected


def test_a_machine_without_the_program_or_without_apt_updates_nothing_by_itself(tmp_path: Path) -> None:
    assert not automatic_updates(VM.changed(answers={"apt-config dump": DUMP}).at(tmp_path / "a")).run
    assert not automatic_updates(VM.changed(files=HAS_UPDATES).at(tmp_path / "b")).run


def test_names_are_matched_from_their_start_by_expressions() -> None:
    left = Updates(True, ("nvidia-", "lib(nvidia|cuda)", "linux-.*nvidia", "((broken"))
    names = ("nvidia-dkms-580", "libcuda1", "xserver-nvidia-", "linux-modules-nvidia-580", "((broken")
    assert [left.leave_alone(name) for name in names] == [True, True, False, True, False]


def test_packages_that_nobody_holds(tmp_path: Path) -> None:
    rows = (
        "install installed libnvidia-compute-580\nhold installed nvidia-dkms-580\ninstall installed nvidia-driver-580\n"
        "deinstall config-files nvidia-driver-570\nunknown not-installed nvidia-driver\n\nodd\n"
    )
    ask = "dpkg-query -W -f=${db:Status-Want}"
    partly = Reply(1, rows, "dpkg-query: no packages found matching libcuda1\n")
    host = VM.changed(answers={ask: partly}).at(tmp_path / "a")
    assert not_held(host, "nvidia-*", "libcuda1") == ["libnvidia-compute-580", "nvidia-driver-580"]
    assert not_held(VM.at(tmp_path / "b"), "nvidia-*") == []
