"""A plan's verdict and its tables, against the plan's own numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgekit.checkpoint.open import open_checkpoint
from edgekit.cli.show.memory import show_plan, verdict
from edgekit.console import Console
from edgekit.phantom.embedded import embedded
from edgekit.plan import MemoryPlan, plan
from edgekit.recipe import recipe
from edgekit.target import target
from edgekit.units import GIB, MIB, format_bytes


def planned(memory_bytes: int) -> MemoryPlan:
    cpu = replace(target("cpu"), memory_bytes=memory_bytes)
    return plan(open_checkpoint(embedded()), cpu, recipe("q4"))


def test_the_verdict_says_by_how_much() -> None:
    ample = planned(16 * GIB)
    assert verdict(ample).startswith(f"Fits: {format_bytes(ample.free_bytes)} of ")
    small = planned(ample.target.reserved_bytes + MIB)
    assert verdict(small) == f"Doesn't fit: {format_bytes(-small.free_bytes)} too much for 1.00 MiB."


def test_every_part_has_a_line_and_less_context_than_asked_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    ample = planned(16 * GIB)
    show_plan(Console(), ample, ample.target.context + 1)
    printed = capsys.readouterr()
    for part in ample.parts:
        assert format_bytes(part.bytes) in printed.out
    assert f"planned with {ample.target.context}" in printed.err
    show_plan(Console(), ample, ample.target.context)
    assert not capsys.readouterr().err
