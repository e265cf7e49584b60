"""What the doctor says of a Jetson without the library that its TensorRT needs to load."""

from __future__ import annotations

from edgekit.doctor.dla import dla
from edgekit.machine.programs import Reply
from tests.unit.doctor.conftest import Says
from tests.unit.machine.recordings import DESKTOP, ORIN6, ORIN7, VM, loader_cache

ASKED = "dpkg-query -W -f=${db:Status-Status} ${Version} nvidia-l4t-dla-compiler"
LIBRARY = "usr/lib/aarch64-linux-gnu/nvidia/libnvdla_compiler.so"
NOT_INSTALLED = {ASKED: Reply(1, "", "dpkg-query: no packages found matching nvidia-l4t-dla-compiler\n")}
LACKING = ORIN6.changed(answers=NOT_INSTALLED)


def test_a_system_without_the_package(says: Says) -> None:
    what = "libnvdla_compiler.so is missing, without which TensorRT does not load: package nvidia-l4t-dla-compiler"
    mend = "sudo apt update && sudo apt install nvidia-l4t-dla-compiler"
    assert says(dla, LACKING, "orin") == [("bad", what, mend)]
    removed = ORIN6.changed(answers={ASKED: "config-files 36.4.3-20250107174145"})
    assert says(dla, removed, "orin") == [("bad", what, mend)]


def test_an_empty_file_in_a_container_is_the_machines_lack(says: Says) -> None:
    [diagnosis] = says(dla, LACKING.changed(files={".dockerenv": "", LIBRARY: ""}), "orin")
    assert diagnosis[0] == "bad"
    assert diagnosis[1].startswith("/usr/lib/aarch64-linux-gnu/nvidia/libnvdla_compiler.so is empty")
    assert diagnosis[2].startswith("On the machine that this container runs on: sudo apt")


def test_it_is_there_by_its_file_by_the_loader_or_by_its_package(says: Says) -> None:
    assert says(dla, LACKING.changed(files={LIBRARY: "ELF"}), "orin") == []
    assert says(dla, LACKING.changed(answers={"ldconfig -p": loader_cache("libnvdla_compiler.so")}), "orin") == []
    assert says(dla, ORIN6.changed(answers={ASKED: "installed 36.4.3-20250107174145"}), "orin") == []


def test_silent_where_it_is_of_no_concern(says: Says) -> None:
    assert says(dla, LACKING, "cpu") == []
    assert says(dla, LACKING, "orin-cuda") == []
    assert says(dla, ORIN7.changed(answers=NOT_INSTALLED), "orin") == []
    assert says(dla, DESKTOP.changed(answers=NOT_INSTALLED), "rtx3050") == []
    assert says(dla, VM, "orin") == []
    without_dpkg = ORIN6.changed(answers={ASKED: Reply(None, why="is not installed")})
    assert says(dla, without_dpkg, "orin") == []
