"""The simulated TensorRT has no name that the real one lacks: a test on it alone would prove a name that is not there.

The real one is TensorRT-RTX's module, where it is installed: its classes can be looked at without a GPU.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgekit.engines.tensorrt.loaded import Loaded
from edgekit.errors import EngineError
from tests.simulated_tensorrt import builder, context, module, rtx
from tests.simulated_tensorrt.device import FakeDevice

pytestmark = pytest.mark.system


@pytest.fixture
def real() -> Any:
    return pytest.importorskip("tensorrt_rtx", reason="TensorRT-RTX is not installed", exc_type=ImportError)


def test_every_name_is_the_real_ones(real: Any) -> None:
    pairs = {
        "ICudaEngine": module.Engine,
        "IExecutionContext": context.Context,
        "Runtime": module.Runtime,
        "IRuntimeConfig": rtx.RuntimeConfig,
        "IRuntimeCache": rtx.RuntimeCache,
        "DataType": module.DataType,
        "TensorLocation": module.TensorLocation,
        "CudaGraphStrategy": module.CudaGraphStrategy,
        "Builder": builder.Builder,
        "INetworkDefinition": builder._Network,
        "ITensor": builder._Input,
        "OnnxParser": builder.OnnxParser,
        "ParserError": builder._Error,
        "IOptimizationProfile": builder._Profile,
        "IBuilderConfig": builder._Config,
        "BuilderFlag": builder.BuilderFlag,
        "ComputeCapability": builder.ComputeCapability,
        "MemoryPoolType": builder.MemoryPoolType,
        "NetworkDefinitionCreationFlag": builder.NetworkDefinitionCreationFlag,
        "ProfilingVerbosity": builder.ProfilingVerbosity,
        "ExecutionContextAllocationStrategy": module.ExecutionContextAllocationStrategy,
    }
    for name, ours in pairs.items():
        names = {name for name in dir(ours) if not name.startswith("_")} - {"value", "name"}
        assert names <= set(dir(getattr(real, name))), name
    config = rtx.RuntimeConfig(module.FakeTensorRt(FakeDevice(), "tensorrt_rtx"))
    assert {name for name in vars(config) if name.startswith(("create", "set", "cuda"))} <= set(
        dir(real.IRuntimeConfig)
    )
    for severity in module.FakeTensorRt.ILogger.Severity:
        assert int(getattr(real.ILogger.Severity, severity.name)) == severity


@pytest.mark.parametrize("content", [b"no plan" * 100, b""])
def test_the_real_one_refuses_a_damaged_plan_in_the_same_way(real: Any, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "vision.plan").write_bytes(content)
    with pytest.raises(EngineError, match=r"TensorRT-RTX 1\..* can't use .*vision\.plan: it is damaged") as failure:
        Loaded(tmp_path, real, FakeDevice(), "Run: edgekit compile BUNDLE")
    assert failure.value.hint == "Run: edgekit compile BUNDLE"
