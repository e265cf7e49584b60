"""Which machines are guarded, and when a guard says no."""

from __future__ import annotations

import pytest

from edgekit.serve.memory import MemoryGuard, guard_for
from edgekit.target import target
from edgekit.units import GIB, MIB


def test_a_board_with_one_memory_keeps_an_eighth_of_what_it_reserves() -> None:
    assert guard_for(target("orin")).floor_bytes == 6 * GIB // 8


@pytest.mark.parametrize("name", ["cpu", "rtx3050"])
def test_the_unit_s_own_limit_does_elsewhere(name: str) -> None:
    assert guard_for(target(name)).floor_bytes == 0
    assert MemoryGuard(0, lambda: 1).shortage() == ""


@pytest.mark.parametrize(("left", "short"), [(767 * MIB, True), (768 * MIB, False), (0, False)])
def test_what_is_left_is_held_against_the_floor(left: int, short: bool) -> None:
    said = MemoryGuard(768 * MIB, lambda: left).shortage()
    assert bool(said) is short, "a kernel that does not tell refuses nobody"
    assert not short or ("767 MiB" in said and "768 MiB" in said)


def test_what_this_machine_has_left_is_read() -> None:
    assert MemoryGuard(1).shortage() == ""
    assert MemoryGuard(1 << 60).shortage()
