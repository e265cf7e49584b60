"""The builder's own steps on the simulated TensorRT: what it is told, and what becomes of its refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest

from edgekit.engines.tensorrt.api import Api, Flavour
from edgekit.engines.tensorrt.build.job import Options
from edgekit.engines.tensorrt.build.network import Building
from edgekit.errors import EngineError
from tests.simulated_tensorrt import builder
from tests.simulated_tensorrt.plan import FakePlan

X = ((1, 8), (4, 8), (8, 8))


def building(
    name: Flavour = "tensorrt", options: Options | None = None, going_on: Callable[[], bool] = lambda: True
) -> Building:
    api = Api(builder, name, (10, 3, 0))
    return Building(api, options or Options(), "Free some.", lambda done, total: None, going_on)


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    path = tmp_path / "decoder.onnx"
    values = [
        onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["rows", 8]),
        onnx.helper.make_tensor_value_info("fixed", onnx.TensorProto.FLOAT, [2]),
    ]
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "g", values, [])), str(path))
    return path


def test_a_plan_has_the_shapes_and_the_workspace_that_were_asked_for(graph: Path) -> None:
    steps = building(options=Options(workspace_bytes=1 << 20, optimization_level=5))
    steps.read(graph)
    steps.shapes([{"x": X}, {"x": X, "fixed": ((2,), (2,), (2,))}])
    steps.configure(None)
    plan = FakePlan(**json.loads(bytes(steps.build())))
    assert (plan.workspace, plan.level, len(plan.profiles)) == (1 << 20, 5, 2)
    assert steps.timings() is None
    assert not [warning for warning in steps.log.warnings if "allocate" in warning], "it was told to take none itself"


@pytest.mark.parametrize(
    ("profiles", "says"),
    [
        ([], "the inputs x need a profile"),
        ([{}], "profile 0 and the graph's inputs differ in x"),
        ([{"x": X}, {"x": X, "y": X}], "profile 1 and the graph's inputs differ in y"),
        ([{"x": ((4, 8), (1, 8), (8, 8))}], "profile 0 of x is not in order"),
        ([{"x": ((1, 8), (4, 8), (8,))}], "profile 0 of x is not in order"),
    ],
)
def test_profiles_that_do_not_fit_the_graph_are_refused(profiles: list[Any], says: str, graph: Path) -> None:
    steps = building()
    steps.read(graph)
    with pytest.raises(EngineError, match=says):
        steps.shapes(profiles)


def test_a_graph_that_cannot_be_read_is_told_by_its_nodes(graph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder.OnnxParser, "parse_from_file", lambda self, path: False)
    with pytest.raises(EngineError, match="can't read") as error:
        building().read(graph)
    assert "NoSuchOperator 'first': this operator is not known; NoSuchOperator (node 1): this" in error.value.message


@pytest.mark.parametrize(
    ("cached", "kept"), [(b"", b"measured"), (b"measured", b"measured" * 2), (b"odd", b"measured")]
)
def test_a_damaged_cache_of_timings_is_begun_anew(cached: bytes, kept: bytes) -> None:
    steps = building()
    steps.configure(cached)
    assert steps.timings() == kept


def test_tensorrt_builds_for_no_other_gpu_than_this_machine_s() -> None:
    with pytest.raises(EngineError, match=r"not for compute capability 8\.6"):
        building(options=Options(compute_capability="8.6")).configure(None)


def test_rtx_builds_for_the_gpus_that_it_knows() -> None:
    building("tensorrt_rtx", Options(compute_capability="8.6")).configure(None)
    with pytest.raises(EngineError, match=r"builds for compute capability 8\.6, not 8\.7"):
        building("tensorrt_rtx", Options(compute_capability="8.7")).configure(None)


def refusing(message: str, answer: Exception | None) -> Callable[..., None]:
    def create(self: Any, *arguments: Any) -> None:
        self._logger.log(1, message)
        if answer:
            raise answer

    return create


@pytest.mark.parametrize("answer", [None, RuntimeError("pybind"), TypeError("pybind")])
@pytest.mark.parametrize(
    ("message", "says", "hint"),
    [
        ("error 35", "no NVIDIA driver that is new enough", "edgekit doctor"),
        ("CUDA initialization failure with error: 100", "no NVIDIA GPU to build for", "Build on the device"),
        ("odd tactics", "can't build: odd tactics", "--debug"),
        ("OutOfMemory (no room)", "ran out of memory", "Free some."),
        ("OutOfMemory (Requested size was 4096 bytes.)", r"a workspace of 4\.00 KiB", "64.0 KiB of memory"),
    ],
)
def test_a_refusal_is_told_by_its_log(
    message: str, says: str, hint: str, answer: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builder.Builder, "create_network", refusing(message, answer))
    with pytest.raises(EngineError, match=says) as error:
        building(options=Options(workspace_bytes=1024))
    assert hint in error.value.hint


def test_memory_that_python_lacks_is_an_error_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder.Builder, "create_network", refusing("", MemoryError()))
    with pytest.raises(EngineError, match="ran out of memory"):
        building()
