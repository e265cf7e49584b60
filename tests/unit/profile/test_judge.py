"""Budgets and plans against a profile whose figures are known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgekit.errors import GateRefused
from edgekit.profile.gate import require_within
from edgekit.profile.judge import against_plan, bandwidth_shares, judge
from edgekit.target import Budget, Target, target
from edgekit.units import GIB, MIB
from tests.unit.profile.made import profile


def limited(**limits: float) -> Target:
    return replace(target("cpu"), budget=Budget(**limits))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "key", "measured"),
    [
        ("static memory", "static_bytes", GIB),
        ("dynamic memory", "dynamic_bytes", 3 * GIB // 2),
        ("memory over time", "memory_bytes", 3 * GIB // 2 + 100 * MIB),
        ("first token", "first_token_ms", 2000),
        ("load, cold", "load_s", 4),
        ("disk", "disk_bytes", 2 * GIB),
    ],
)
def test_what_is_more_than_a_limit_fails_and_what_is_just_it_passes(name: str, key: str, measured: int) -> None:
    for limit, passed in ((measured, True), (measured - 1, False)):
        rows = {row.name: row for row in judge(profile(), limited(**{key: limit}))}
        assert rows[name].measured == measured
        assert rows[name].passed is passed
        assert rows[name].missed_by == (0 if passed else 1)
        assert all(row.passed for other, row in rows.items() if other != name)


def test_speed_has_to_be_at_least_its_limit() -> None:
    for limit, passed in ((10, True), (10.5, False)):
        rows = {row.name: row for row in judge(profile(), limited(tokens_per_s=limit))}
        assert rows["speed"].passed is passed
        assert rows["speed"].missed_by == (0 if passed else 0.5)


def test_memory_has_a_limit_where_no_budget_names_one() -> None:
    roomy, small = profile(), profile(device=replace(profile().device, memory_bytes=2 * GIB))
    assert all(row.passed for row in judge(roomy, limited()))
    (broken,) = [row for row in judge(small, limited()) if not row.passed]
    assert broken.name == "memory over time"
    assert broken.limit == GIB  # the target reserves the other


def test_a_warm_load_stands_in_where_none_was_cold() -> None:
    rows = {row.name: row for row in judge(profile(load_cold_s=None), limited(load_s=1))}
    assert rows["load, warm"].measured == 0.5
    assert rows["load, warm"].passed


def test_a_broken_budget_is_refused_with_every_limit_and_both_numbers() -> None:
    require_within(profile(), limited(static_bytes=GIB))
    with pytest.raises(GateRefused) as refused:
        require_within(profile(), limited(static_bytes=512 * MIB, first_token_ms=500))
    assert "static memory 1.00 GiB, at most 512 MiB" in refused.value.message
    assert "first token 2000 ms, at most 500 ms" in refused.value.message
    assert "dynamic" not in refused.value.message


def test_the_plan_is_compared_where_both_know_a_component() -> None:
    figures = {figure.name: figure for figure in against_plan(profile())}
    assert figures["decoder"].error == 0
    assert figures["process"].error == pytest.approx(0.2)
    assert figures["engine"].planned == 99 * MIB  # two of the plan's components, one that can be measured
    assert figures["engine"].error == pytest.approx(-0.1)
    assert figures["static"].error == 0
    assert figures["dynamic"].error == pytest.approx(1.0)
    assert "pictures" not in figures


def test_a_step_reads_the_decoder_and_the_head_once_for_all_its_rows() -> None:
    """Two rows of 9 tokens/s each are 9 steps a second, each of 3 GiB: 27 GiB/s of 270."""
    weights = {"vision": 7 * GIB, "embedding": GIB, "decoder": 2 * GIB, "lm_head": GIB}
    shares = bandwidth_shares(profile(weights=weights), replace(limited(), bandwidth=270 * GIB))
    assert shares == pytest.approx((10 * 3 / 270, 9 * 3 / 270))
