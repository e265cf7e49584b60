"""What the doctor says of the groups video and render, and of the service's user."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.doctor.groups import groups
from tests.unit.doctor.conftest import Says
from tests.unit.machine.recordings import DESKTOP, ORIN6, VM

PASSWD = "root:x:0:0:root:/root:/bin/bash\nedgekit:x:997:997:EdgeKit:/var/lib/edgekit:/usr/sbin/nologin\n"
BOTH = "root:x:0:\nvideo:x:44:field,edgekit\nrender:x:105:edgekit\n"


def by_node(path: Path) -> str:
    return "render" if "dri" in path.parts else "video"


ORIN = ORIN6.changed(files={"etc/passwd": PASSWD, "etc/group": BOTH}, group=by_node)


def test_a_service_whose_user_is_in_both(says: Says) -> None:
    assert says(groups, ORIN, "orin") == [("good", "edgekit is in render and video", "")]


@pytest.mark.parametrize(
    ("group", "lacking"),
    [
        ("video:x:44:edgekit\nrender:x:105:field\n", "render"),
        ("video:x:44:\nrender:x:105:edgekit\n", "video"),
        ("video:x:44:\nrender:x:105:\n", "render and video"),
    ],
)
def test_a_service_whose_user_is_not(says: Says, group: str, lacking: str) -> None:
    [diagnosis] = says(groups, ORIN.changed(files={"etc/group": group}), "orin")
    what = f"the service's user edgekit is not in {lacking}: the GPU's device files are closed to it"
    mend = f"sudo usermod -aG {lacking.replace(' and ', ',')} edgekit && sudo systemctl restart edgekit"
    assert diagnosis == ("bad", what, mend)


def test_groups_that_do_not_exist(says: Says) -> None:
    without = ORIN.changed(files={"etc/passwd": "root:x:0:0::/root:/bin/sh\n", "etc/group": "video:x:44:\n"})
    what = "/etc/group has no render: the GPU's device files stay root's"
    mend = "sudo groupadd --system render && sudo udevadm control --reload && sudo udevadm trigger"
    assert says(groups, without, "orin") == [("bad", what, mend)]
    neither = without.changed(files={"etc/group": "root:x:0:\n"})
    assert says(groups, neither, "orin")[0][1].startswith("/etc/group has no video and no render")


def test_device_files_that_are_everyones_need_no_group(says: Says, tmp_path: Path) -> None:
    card = DESKTOP.changed(files={"etc/passwd": PASSWD, "etc/group": "root:x:0:\n"})
    card.at(tmp_path)
    for name in card.nodes:
        (tmp_path / name).chmod(0o660)
    closed = says(groups, card.changed(files={"etc/group": "video:x:44:\n"}), "rtx3050", tmp_path)
    assert [state for state, _, _ in closed] == ["bad"]  # Debian gives them to video
    for name in card.nodes:
        (tmp_path / name).chmod(0o666)
    assert says(groups, card, "rtx3050", tmp_path) == []


def test_silent_where_it_is_of_no_concern(says: Says) -> None:
    nobody = ORIN.changed(files={"etc/group": "video:x:44:\nrender:x:105:\n"})
    assert says(groups, nobody, "cpu") == []
    assert says(groups, nobody.changed(files={".dockerenv": ""}), "orin") == []
    assert says(groups, nobody.changed(files={"etc/passwd": "root:x:0:0::/root:/bin/sh\n"}), "orin") == []
    assert says(groups, ORIN6, "orin") == []
    assert says(groups, VM, "cpu") == []
