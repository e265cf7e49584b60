"""One way to train: AdamW, a short warm-up, then half a cosine to zero; the same for every stage."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """``steps`` of ``batch`` pictures each, learning at ``rate`` at most; ``seed`` orders and varies them."""

    steps: int
    batch: int
    rate: float
    seed: int = 0
    decay: float = 0.05
    warmup: float = 0.05

    def factor(self, step: int) -> float:
        """Return what the rate is multiplied by at ``step``."""
        rising = self.warmup * self.steps
        if step < rising:
            return min(1.0, (step + 1) / rising)
        return 0.5 * (1 + math.cos(math.pi * (step - rising) / (self.steps - rising)))


def weight_type() -> torch.dtype:
    """Say what weights are while they learn: bfloat16 where PyTorch has kernels for it on this processor, which saves a
    third of the time, else float32. Without them (x86-64 with AVX2 alone) a product takes fifty times as long.
    """
    return torch.bfloat16 if torch.ops.mkldnn._is_mkldnn_bf16_supported() else torch.float32


def minimise(
    parts: Mapping[nn.Module, float], losses: Callable[[torch.Generator], Iterator[Tensor]], schedule: Schedule
) -> Iterator[float]:
    """Take ``schedule.steps`` steps down the losses that ``losses`` yields, one for each batch; yields each loss.

    Every part learns at its share of the schedule's rate. While this runs, weights are of :func:`weight_type`; the
    steps are summed up in float32, and that is what is left in the end.
    """
    weights = [weight for part in parts for weight in part.parameters()]
    shares = [share for part, share in parts.items() for _ in part.parameters()]
    exact = [weight.detach().clone() for weight in weights]
    optimizer = _optimizer(exact, shares, schedule)
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule.factor)
    batches = losses(torch.Generator().manual_seed(schedule.seed))
    while_learning = weight_type()
    for weight in weights:
        weight.data = weight.data.to(while_learning)
    for step in range(1, schedule.steps + 1):
        loss = next(batches)
        loss.backward()
        for precise, weight in zip(exact, weights, strict=True):
            precise.grad = weight.grad.float() if weight.grad is not None else None
            weight.grad = None
        torch.nn.utils.clip_grad_norm_(exact, 1.0)
        optimizer.step()
        rate.step()
        if step < schedule.steps:
            torch._foreach_copy_([weight.data for weight in weights], exact)
        else:  # before the last loss is yielded, so that what is measured then is what is kept
            for precise, weight in zip(exact, weights, strict=True):
                weight.data = precise
        yield loss.item()


def _optimizer(weights: Sequence[Tensor], shares: Sequence[float], schedule: Schedule) -> torch.optim.Optimizer:
    """Only matrices decay: norms and biases are few and small."""
    groups: dict[tuple[float, bool], list[Tensor]] = {}
    for weight, share in zip(weights, shares, strict=True):
        groups.setdefault((share, weight.ndim > 1), []).append(weight)
    return torch.optim.AdamW(
        [
            {"params": some, "lr": schedule.rate * share, "weight_decay": schedule.decay if decays else 0.0}
            for (share, decays), some in groups.items()
        ],
        betas=(0.9, 0.98),
        fused=True,
    )
