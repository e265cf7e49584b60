"""The learning rate's schedule, and the descent along it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from edgekit.tune import schedule
from edgekit.tune.schedule import Schedule, minimise


def test_a_schedule_rises_and_falls() -> None:
    schedule = Schedule(steps=100, batch=1, rate=1.0, warmup=0.1)
    factors = [schedule.factor(step) for step in range(100)]
    assert max(factors) == 1
    assert factors[:10] == sorted(factors[:10])
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert factors[-1] < 0.01


@pytest.mark.parametrize("steps", [1, 7, 25])
def test_a_short_schedule_never_learns_faster_than_its_rate(steps: int) -> None:
    factors = [Schedule(steps=steps, batch=1, rate=1.0).factor(step) for step in range(steps)]
    assert max(factors) == 1
    assert min(factors) > 0


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_minimise_goes_down_and_gives_float32_back(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the processor has kernels for."""
    monkeypatch.setattr(schedule, "weight_type", lambda: dtype)
    layer = torch.nn.Linear(2, 1, bias=False)
    layer.weight.data.copy_(torch.tensor([[3.0, -2.0]]))

    def losses(rng: torch.Generator) -> Iterator[torch.Tensor]:
        while True:
            assert layer.weight.dtype == dtype
            yield layer.weight.float().pow(2).sum()

    seen = list(minimise({layer: 1.0}, losses, Schedule(steps=200, batch=1, rate=0.1)))
    assert seen[-1] < 0.05 < seen[0]
    assert layer.weight.dtype == torch.float32
