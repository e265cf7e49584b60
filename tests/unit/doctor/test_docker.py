"""What the doctor says of Docker on a Jetson."""

from __future__ import annotations

import pytest

from edgekit.doctor.docker import docker
from tests.unit.doctor.conftest import Says
from tests.unit.machine.recordings import DESKTOP, ORIN6, ORIN7, Recording

LISTS = {"lib/modules/5.15.148-tegra/modules.dep": "kernel/net/ipv4/netfilter/iptable_nat.ko:\n"}
DROP_IN = "etc/systemd/system/docker.service.d/raw.conf"


def with_docker(recording: Recording, version: str, **files: str) -> Recording:
    said = f"Docker version {version}, build bbd0a17\n"
    return recording.changed(files=LISTS | files, answers={"dockerd --version": said})


@pytest.mark.parametrize("version", ["28.0.1", "28.2.2", "29.1.0"])
def test_a_docker_whose_kernel_lacks_a_table(says: Says, version: str) -> None:
    [diagnosis] = says(docker, with_docker(ORIN6, version), "orin")
    what = f"Docker {version} starts no container with a port here: this kernel (5.15.148-tegra) has no iptable_raw"
    assert diagnosis[:2] == ("bad", what)
    assert "docker-ce=5:27.5.1-1~ubuntu.22.04~jammy" in diagnosis[2]
    assert "apt-mark hold docker-ce docker-ce-cli" in diagnosis[2]


def test_a_docker_that_works_there(says: Says) -> None:
    assert says(docker, with_docker(ORIN6, "27.5.1"), "orin") == [("good", "Docker 27.5.1", "")]
    builtin = {"lib/modules/5.15.148-tegra/modules.builtin": "kernel/net/ipv4/netfilter/iptable_raw.ko\n"}
    assert says(docker, with_docker(ORIN6, "28.2.2", **builtin), "orin") == [("good", "Docker 28.2.2", "")]


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ('[Service]\nEnvironment="DOCKER_INSECURE_NO_IPTABLES_RAW=1"\n', "good"),
        ("[Service]\nEnvironment=DOCKER_INSECURE_NO_IPTABLES_RAW=1 OTHER=2\n", "good"),
        ("[Service]\n#Environment=DOCKER_INSECURE_NO_IPTABLES_RAW=1\n", "bad"),
        ("[Service]\nEnvironment=DOCKER_INSECURE_NO_IPTABLES_RAW=0\n", "bad"),
    ],
)
def test_a_docker_that_was_told_to_do_without(says: Says, line: str, state: str) -> None:
    [diagnosis] = says(docker, with_docker(ORIN6, "28.2.2", **{DROP_IN: line}), "orin")
    assert diagnosis[0] == state
    assert ("the local network reaches" in diagnosis[1]) == (state == "good")


def test_the_first_two_can_not_be_told_to_do_without(says: Says) -> None:
    line = "[Service]\nEnvironment=DOCKER_INSECURE_NO_IPTABLES_RAW=1\n"
    for version, state in (("28.0.1", "bad"), ("28.0.2", "good")):
        assert says(docker, with_docker(ORIN6, version, **{DROP_IN: line}), "orin")[0][0] == state


def test_nothing_is_said_against_a_kernel_that_nothing_tells_of(says: Says) -> None:
    said = {"dockerd --version": "Docker version 28.2.2, build bbd0a17\n"}
    [diagnosis] = says(docker, ORIN6.changed(answers=said), "orin")
    assert (diagnosis[0], "nothing tells if this kernel has iptable_raw" in diagnosis[1]) == ("unknown", True)


def test_silent_where_it_is_of_no_concern(says: Says) -> None:
    assert says(docker, ORIN6, "orin") == []
    assert says(docker, with_docker(ORIN7, "28.2.2"), "orin") == []
    assert says(docker, with_docker(DESKTOP, "28.2.2"), "rtx3050") == []
    assert says(docker, with_docker(ORIN6, "28.2.2", **{".dockerenv": ""}), "orin") == []
