"""What the doctor says of automatic updates that would replace NVIDIA's driver or a Jetson's system."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from edgekit.doctor.updates import updates
from edgekit.machine.updates import Updates
from tests.unit.doctor.conftest import Says
from tests.unit.machine.recordings import DESKTOP, DUMP, HAS_UPDATES, ORIN6, VM, Recording

ASK = "dpkg-query -W -f=${db:Status-Want}"
CARD = "".join(
    f"install installed {name}\n"
    for name in ("libnvidia-compute-580", "nvidia-container-toolkit", "nvidia-dkms-580", "nvidia-driver-580")
)
L4T = "".join(
    f"install installed nvidia-l4t-{name}\n" for name in ("core", "cuda", "firmware", "kernel", "kernel-dtbs")
)


def updating(recording: Recording, packages: str, dump: str = DUMP) -> Recording:
    return recording.changed(files=HAS_UPDATES, answers={"apt-config dump": dump, ASK: packages})


def test_a_driver_that_would_be_replaced_and_what_keeps_it(says: Says) -> None:
    [diagnosis] = says(updates, updating(DESKTOP, CARD), "rtx3050")
    what = (
        "automatic updates are on and hold back none of libnvidia-compute-580, nvidia-dkms-580, nvidia-driver-580, "
        "NVIDIA's: where they take them, the next start fails"
    )
    assert diagnosis[:2] == ("bad", what)
    listed = diagnosis[2].split("{")[1].split("}")[0].replace('"', "").replace(";", "").split()
    assert all(Updates(True, tuple(listed)).leave_alone(line.split()[2]) for line in (CARD + L4T).splitlines())


def test_a_jetsons_system_that_would_be_replaced(says: Says) -> None:
    [diagnosis] = says(updates, updating(ORIN6, L4T), "orin")
    what = "hold back none of nvidia-l4t-core, nvidia-l4t-cuda, nvidia-l4t-firmware and 2 more, L4T's"
    assert (diagnosis[0], what in diagnosis[1]) == ("bad", True)


def test_what_mends_it_is_read_by_apt(says: Says, tmp_path: Path) -> None:
    if shutil.which("apt-config") is None:
        pytest.skip("no apt")
    mend = says(updates, updating(DESKTOP, CARD), "rtx3050")[0][2]
    file = tmp_path / "apt.conf"
    file.write_text(mend.split("'")[1])
    told = subprocess.run(
        ["apt-config", "dump", "Unattended-Upgrade"], env={"PATH": "/usr/bin:/bin", "APT_CONFIG": str(file)},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert 'Unattended-Upgrade::Package-Blacklist:: "nvidia-";' in told.stdout


@pytest.mark.parametrize(
    ("packages", "more"),
    [
        (CARD.replace("install ", "hold "), ""),
        (CARD, "".join(f'Unattended-Upgrade::Package-Blacklist:: "{name}";\n' for name in ("nvidia-", "libnvidia-"))),
        ("", ""),
        ("install installed nvidia-container-toolkit\n", ""),
    ],
)
def test_what_is_held_or_left_alone_stays(says: Says, packages: str, more: str) -> None:
    [diagnosis] = says(updates, updating(DESKTOP, packages, DUMP + more), "rtx3050")
    assert diagnosis == ("good", "automatic updates are on and leave NVIDIA's packages alone", "")


def test_silent_where_it_is_of_no_concern(says: Says) -> None:
    exposed = updating(DESKTOP, CARD)
    assert says(updates, exposed, "cpu") == []
    assert says(updates, exposed.changed(files={".dockerenv": ""}), "rtx3050") == []
    assert says(updates, updating(DESKTOP, CARD, DUMP.replace('Upgrade "1"', 'Upgrade "0"')), "rtx3050") == []
    assert says(updates, DESKTOP, "rtx3050") == []
    assert says(updates, VM, "cpu") == []
