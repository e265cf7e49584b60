"""Users and groups, by the system's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.machine.groups import has_group, has_groups, has_user, is_member
from edgekit.machine.host import Host
from tests.unit.machine.recordings import VM

PASSWD = "root:x:0:0:root:/root:/bin/bash\nedgekit:x:997:44:EdgeKit:/var/lib/edgekit:/usr/sbin/nologin\nbroken\n"
GROUP = "root:x:0:\nvideo:x:44:\nrender:x:105:field,edgekit\nplugdev:x:46:field\nbroken:x\n\n"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return VM.changed(files={"etc/passwd": PASSWD, "etc/group": GROUP}).at(tmp_path)


def test_who_there_is(host: Host) -> None:
    assert (has_user(host, "edgekit"), has_user(host, "broken"), has_user(host, "")) == (True, False, False)
    assert (has_groups(host), has_group(host, "video"), has_group(host, "broken")) == (True, True, False)


@pytest.mark.parametrize(
    ("user", "group", "member"),
    [
        ("edgekit", "render", True),
        ("edgekit", "video", True),  # its first group
        ("edgekit", "plugdev", False),
        ("field", "render", True),
        ("field", "video", False),
        ("fiel", "render", False),
        ("field", "nothing", False),
    ],
)
def test_who_belongs_to_what(host: Host, user: str, group: str, member: bool) -> None:
    assert is_member(host, user, group) is member


def test_a_system_without_these_files_has_nobody(tmp_path: Path) -> None:
    silent = VM.at(tmp_path)
    assert (has_groups(silent), has_user(silent, "root"), is_member(silent, "root", "root")) == (False, False, False)
