"""Which bundle fits, and what is given up by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.errors import GateRefused, InputError
from edgekit.report.choose import Limits, choose
from edgekit.report.paper.measured import Measured, read_measured
from edgekit.units import GIB
from tests.reported import evaluation, profile, write


@pytest.fixture
def measured(tmp_path: Path) -> list[Measured]:
    """Three bundles: the more accurate, the larger; and one that was never profiled."""
    return read_measured(
        [
            write(
                tmp_path,
                a=evaluation("small", 50.0),
                b=evaluation("middle", 60.0, bytes=2 * GIB),
                c=evaluation("large", 61.0, bytes=3 * GIB),
                d=evaluation("unknown", 99.0),
                e=profile("small", 0.5, 1.0, 100),
                f=profile("middle", 1.5, 2.0, 300),
                g=profile("large", 3.5, 4.0, 900),
            )
        ]
    )


@pytest.mark.parametrize(
    ("limits", "chosen", "given_up"),
    [
        (Limits(memory_bytes=8 * GIB), "large", ()),
        (
            Limits(memory_bytes=3 * GIB),
            "middle",
            ("large is 0.5 points more accurate (within the intervals), but takes 1.00 GiB of memory too much",),
        ),
        (
            Limits(memory_bytes=8 * GIB, disk_bytes=2 * GIB),
            "middle",
            ("large is 0.5 points more accurate (within the intervals), but takes 1.00 GiB of disk too much",),
        ),
        (
            Limits(memory_bytes=8 * GIB, first_token_ms=400),
            "middle",
            ("large is 0.5 points more accurate (within the intervals), but has its first token 500 ms too late",),
        ),
    ],
)
def test_the_most_accurate_that_fits_is_chosen(
    measured: list[Measured], limits: Limits, chosen: str, given_up: tuple[str, ...]
) -> None:
    choice = choose(measured, limits)
    assert (choice.chosen, choice.given_up) == (chosen, given_up)
    assert choice.columns == ("VQA-RAD closed", "VQA-RAD open")
    assert [each.partition(",")[0] for each in choice.not_compared] == ["unknown has no dynamic memory"]
    assert choice.cheaper[-1].startswith("small is ")
    assert choice.document()["chosen"] == chosen


def test_where_intervals_part_it_is_not_said_that_they_do_not(measured: list[Measured]) -> None:
    choice = choose([each for each in measured if each.name != "large"], Limits(memory_bytes=8 * GIB))
    for each in measured:
        each.accuracy.pop("VQA-RAD open")
    (cheaper,) = choose([each for each in measured if each.name != "large"], Limits(memory_bytes=8 * GIB)).cheaper
    assert cheaper == "small is 10.0 points less accurate, and saves 1.00 GiB of memory"
    assert choice.cheaper == ("small is 5.0 points less accurate (within the intervals), and saves 1.00 GiB of memory",)


def test_where_none_fits_it_is_said_by_how_much_and_what_would(measured: list[Measured]) -> None:
    with pytest.raises(GateRefused, match="small takes 512 MiB of memory too much") as raised:
        choose(measured, Limits(memory_bytes=GIB // 2))
    assert "The smallest, small, takes 1.00 GiB" in raised.value.hint


def test_bundles_without_the_figures_can_t_be_chosen_from(measured: list[Measured]) -> None:
    with pytest.raises(InputError, match="unknown has no dynamic memory"):
        choose([each for each in measured if each.name == "unknown"], Limits(memory_bytes=GIB))
    with pytest.raises(InputError, match="Nothing can be chosen"):
        choose([], Limits(memory_bytes=GIB))
