"""What a process holds that only answers: nothing of what runs on GPUs, and nothing that plans."""

from __future__ import annotations

import pytest

from tests import house


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return house.loaded(house.build_embedded(tmp_path_factory.mktemp("loaded") / "bundle"))


def test_answering_on_a_processor_loads_nothing_of_tensorrt_s(modules: list[str]) -> None:
    assert "edgekit.engines.onnxruntime.engine" in modules
    assert house.of_tensorrt(modules) == []


def test_answering_loads_nothing_of_the_planner_s(modules: list[str]) -> None:
    assert house.of_planner(modules) == []
