"""A cell says what stays free, or, with a minus, what is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgekit.checkpoint.open import open_checkpoint
from edgekit.cli.show.matrix import show_matrix
from edgekit.console import Console
from edgekit.phantom.embedded import embedded
from edgekit.plan import matrix
from edgekit.recipe import recipe
from edgekit.target import target
from edgekit.units import GIB, MIB, format_bytes


def test_a_row_for_each_target_with_the_best_at_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    ample = replace(target("cpu"), memory_bytes=16 * GIB, slots=3, context=512)
    small = replace(ample, name="small", memory_bytes=ample.reserved_bytes + MIB)
    plans = matrix(open_checkpoint(embedded()), [ample, small], [recipe("q4")])
    show_matrix(Console(), plans)
    _, first, second, *_ = capsys.readouterr().out.splitlines()
    free = format_bytes(plans.plans["cpu"]["q4"].free_bytes)
    assert first.split() == ["cpu", "3", "×", "512", *free.split(), "q4"]
    missing = format_bytes(-plans.plans["small"]["q4"].free_bytes)
    assert second.split() == ["small", "3", "×", "512", *f"−{missing}".split(), "none"]
