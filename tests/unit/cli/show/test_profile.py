"""A profile in tables: marks beside a budget, two sides of memory, and lines for what not every device has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edgekit.cli.show.profile import show_profile
from edgekit.console import Console
from edgekit.machine.condition import Condition
from edgekit.profile.judged import JudgedProfile
from edgekit.profile.record import Profile, SideMemory
from edgekit.target import Budget, target
from edgekit.units import GIB, MIB
from tests.rendered import rows
from tests.unit.profile.made import profile

ROOMY = replace(target("cpu"), memory_bytes=8 * GIB, reserved_bytes=0, bandwidth=10 * 512 * MIB)


def shown(capsys: pytest.CaptureFixture[str], measured: Profile, **limits: Any) -> tuple[list[list[str]], str]:
    show_profile(Console(), JudgedProfile(measured, replace(ROOMY, budget=Budget(**limits))))
    out = capsys.readouterr().out
    return rows(out), out


def test_each_limit_has_a_mark_and_what_is_not_limited_has_none(capsys: pytest.CaptureFixture[str]) -> None:
    table, _ = shown(capsys, profile(), static_bytes=GIB, first_token_ms=1500, tokens_per_s=9)
    assert ["✓", "static memory", "1.00 GiB", "≤ 1.00 GiB"] in table
    assert ["✗", "first token", "2000 ms", "≤ 1500 ms"] in table
    assert [row[:2] for row in table if row[-1].startswith("≥")] == [["✓", "speed"]]
    assert ["dynamic memory", "1.50 GiB"] in table


def test_every_figure_has_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    table, out = shown(capsys, profile())
    assert out.startswith("llava-test by q4 on Some processor, 4 cores\n2 slots of 1024 tokens; compiled;")
    assert ["memory", "1.00 GiB", "1.25 GiB", "1.50 GiB", "the kernel's count (VmHWM)"] in table
    assert ["first token", *["2000"] * 5, "1"] in table
    assert ["2 questions, one picture", *["3000"] * 5, "1"] in table
    assert ["1 row", "10", "10", "10", "1", "100.0 %"] in table, "all that this memory gives"
    assert ["2 rows", "18", "18", "18", "1", "90.0 %"] in table
    assert ["dynamic", "3.00 GiB", "1.50 GiB", "+100.0 %"] in table
    assert "Opening takes 0.50 s, 4.00 s from the disk." in out


def test_what_a_device_lacks_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    _, out = shown(capsys, profile(share_bytes=0, load_cold_s=None, growth_bytes=float(MIB)))
    for words in ("its share of", "from the disk", "Each further question", "At the end"):
        assert words not in out
    _, out = shown(capsys, profile(growth_bytes=3.0 * MIB, compiled=False))
    assert "its share of what processes have together is 512 MiB." in out
    assert "Each further question kept 3.00 MiB." in out
    assert "not compiled" in out


def test_a_card_has_a_side_of_its_own_and_says_how_it_fared(capsys: pytest.CaptureFixture[str]) -> None:
    device = replace(profile().device, gpu="a card")
    sides = tuple(SideMemory(name, GIB, GIB, GIB, "asked") for name in ("device", "host"))
    after = Condition(power_w=41.26, temperature_c=63.4, throttling=("heat", "power"), power_mode="MAXN")
    table, out = shown(capsys, profile(device=device, sides=sides, after=after))
    assert out.startswith("llava-test by q4 on a card\n")
    assert [row[0] for row in table if row[-1] == "asked"] == ["device", "host"]
    assert "At the end: mode MAXN, 41.3 W, 63 °C, throttled: heat, power." in out
