"""What a process holds that only answers: nothing of what runs on GPUs, and nothing that plans."""

from __future__ import annotations

import pytest

from tests import house
from tests.embedded_bundles import EmbeddedBundles


@pytest.fixture(scope="module")
def modules(embedded_as: EmbeddedBundles) -> list[str]:
    return house.loaded(embedded_as("q4").path)


def test_answering_on_a_processor_loads_nothing_of_tensorrt_s(modules: list[str]) -> None:
    assert "edgekit.engines.onnxruntime.engine" in modules
    assert house.of_tensorrt(modules) == []


def test_answering_loads_nothing_of_the_planner_s(modules: list[str]) -> None:
    assert house.of_planner(modules) == []
