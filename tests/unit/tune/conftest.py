from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from edgekit.phantom.embedded import embedded
from edgekit.tune.schedule import Schedule
from edgekit.tune.training import Curriculum, Training


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """The same sums in the same order on every machine, and no threads that wait for each other on a busy one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    recorded: dict[str, Any] = json.loads((embedded() / "training.json").read_text(encoding="utf-8"))
    return recorded


@pytest.fixture(scope="module")
def training(shipped: dict[str, Any]) -> Training:
    stages = {stage: Schedule(**shipped["plan"][stage]) for stage in ("tower", "answers")}
    return Training(
        curriculum=Curriculum(**{**shipped["plan"], **stages}),
        seconds=shipped["seconds"],
        arch=shipped["machine"]["machine"],
        threads=shipped["machine"]["threads"],
        versions=shipped["versions"],
        curve=tuple(shipped["curve"]),
    )
