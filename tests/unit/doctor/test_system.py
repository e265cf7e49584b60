"""Processor, Python and system: what the checks say of a machine that is not the target's."""

from __future__ import annotations

import pytest

from edgekit.doctor.system import processor, python, system
from tests.unit.doctor.conftest import Says
from tests.unit.machine.recordings import (
    ORIN7,
    VM,
    WSL2,
)


@pytest.mark.parametrize(
    ("flags", "name", "state"),
    [
        ("fpu sse2", "cpu", "bad"),
        ("fpu sse2", "rtx3050", "good"),
        ("avx2 fma", "cpu", "good"),
        ("avx2 avx_vnni", "cpu", "good"),
        ("", "cpu", "unknown"),
    ],
)
def test_the_processor_counts_where_it_computes(says: Says, flags: str, name: str, state: str) -> None:
    cpuinfo = {"proc/cpuinfo": f"processor\t: 0\nmodel name\t: QEMU Virtual CPU\nflags\t\t: {flags}\n"}
    [diagnosis] = says(processor, VM.changed(files=cpuinfo), name)
    assert diagnosis[0] == state


def test_python_that_belongs_to_the_system(says: Says) -> None:
    managed = VM.changed(files={"usr/lib/python3.12/EXTERNALLY-MANAGED": "[externally-managed]\n"}, virtual=False)
    [diagnosis] = says(python, managed)
    assert "venv" in diagnosis[2]
    assert says(python, managed.changed(virtual=True)) == [("good", "3.12.3 in a virtual environment", "")]
    assert says(python, VM.changed(python=(3, 8, 10)))[0][0] == "bad"


def test_a_processor_that_is_not_the_targets(says: Says) -> None:
    assert says(system, ORIN7, "rtx3050")[1][::2] == ("bad", "edgekit doctor --target orin")
    assert says(system, VM.changed(arch="riscv64"))[1][0] == "bad"
    assert says(system, WSL2)[1][0] == "good"
