"""The simulated execution context refuses what TensorRT refuses: what engines are held to in tests is really asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from edgekit.engines.tensorrt.log import Log, logger
from tests.simulated_tensorrt.context import Context
from tests.simulated_tensorrt.device import FakeDevice
from tests.simulated_tensorrt.module import ExecutionContextAllocationStrategy, FakeTensorRt
from tests.simulated_tensorrt.plan import FakePlan

MOST, SCRATCH = 4, 1000


@dataclass
class Prepared:
    """A context of ``y = -x``, ``n = -lengths`` that lacks nothing to run."""

    device: FakeDevice
    module: FakeTensorRt
    context: Context
    addresses: dict[str, int]
    log: Log

    def runs(self) -> bool:
        return self.context.execute_async_v3(self.device.stream)


def write(path: Path) -> None:
    ends = [
        helper.make_tensor_value_info(name, kind, ["rows", *more])
        for name, kind, more in (
            ("x", TensorProto.FLOAT, [8]),
            ("lengths", TensorProto.INT32, []),
            ("y", TensorProto.FLOAT, [8]),
            ("n", TensorProto.INT32, []),
        )
    ]
    nodes = [helper.make_node("Neg", ["x"], ["y"]), helper.make_node("Neg", ["lengths"], ["n"])]
    graph = helper.make_graph(nodes, "g", ends[:2], ends[2:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), str(path))


@pytest.fixture
def prepared(tmp_path: Path) -> Prepared:
    write(tmp_path / "g.onnx")
    profile = {"x": ((1, 8), (2, 8), (MOST, 8)), "lengths": ((1,), (2,), (MOST,))}
    plan = FakePlan(str(tmp_path / "g.onnx"), [profile, profile], [SCRATCH, 10])
    device, log = FakeDevice(), Log()
    module = FakeTensorRt(device)
    engine = module.Runtime(logger(module, log)).deserialize_cuda_engine(plan.dumps().encode())
    assert engine
    context = engine.create_execution_context(ExecutionContextAllocationStrategy.USER_MANAGED)
    context.set_device_memory(device.allocate(SCRATCH, "scratch"), SCRATCH)
    addresses = {name: device.allocate(MOST * 32, name) for name in ("x", "lengths", "y", "n")}
    for name, address in addresses.items():
        assert context.set_tensor_address(name, address)
    for name, shape in (("x", (2, 8)), ("lengths", (2,))):
        assert context.set_input_shape(name, shape)
    return Prepared(device, module, context, addresses, log)


def test_what_lacks_nothing_runs(prepared: Prepared) -> None:
    prepared.device.at(prepared.addresses["x"], 64).view(np.float32)[:] = 3
    assert prepared.runs()
    prepared.device.synchronize()
    assert set(prepared.device.at(prepared.addresses["y"], 64).view(np.float32)) == {-3}
    assert not prepared.module.complaints


@pytest.mark.parametrize("shape", [(0, 8), (MOST + 1, 8), (2, 7), (2, 8, 1), (2,)])
def test_a_shape_outside_the_profile(shape: tuple[int, ...], prepared: Prepared) -> None:
    assert not prepared.context.set_input_shape("x", shape)
    assert "does not satisfy any optimization profiles" in prepared.log.first
    assert prepared.context.set_input_shape("x", (MOST, 8))


@pytest.mark.parametrize("name", ["y", "z"])
def test_the_shape_of_what_is_no_input(name: str, prepared: Prepared) -> None:
    assert not prepared.context.set_input_shape(name, (2, 8))
    assert "is no input" in prepared.log.first


def test_the_address_of_what_is_not_there(prepared: Prepared) -> None:
    assert not prepared.context.set_tensor_address("z", prepared.addresses["x"])
    assert "there is no tensor z" in prepared.log.first


@pytest.mark.parametrize("name", ["x", "lengths", "y", "n"])
@pytest.mark.parametrize(
    ("address", "why"),
    [(0, "Neither address or allocator is set for "), (128, "the address of "), (4, "the address of ")],
)
def test_an_address_that_is_unset_or_misaligned(name: str, address: int, why: str, prepared: Prepared) -> None:
    assert prepared.context.set_tensor_address(name, prepared.addresses[name] + address if address else 0)
    assert not prepared.runs()
    assert f"{why}{name}" in prepared.log.first
    assert prepared.context.set_tensor_address(name, prepared.addresses[name])
    assert prepared.runs()


def spoil(what: str, prepared: Prepared) -> None:
    context, scratch = prepared.context, prepared.device.allocate(4 * SCRATCH, "scratch")
    if what == "no profile":
        context.profile = None
    elif what == "little scratch":
        context.set_device_memory(scratch, SCRATCH - 1)
    elif what == "askew scratch":
        context.set_device_memory(scratch + 128, SCRATCH)
    elif what == "a new profile":
        assert context.set_optimization_profile_async(1, prepared.device.stream)
    else:
        assert context.set_input_shape("lengths", (3,))


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("no profile", "no profile is set"),
        ("little scratch", "the device memory is too small, or askew"),
        ("askew scratch", "the device memory is too small, or askew"),
        ("a new profile", "the shape of x is not set"),
        ("other rows", "dimensions of one name differ"),
    ],
)
def test_a_run_that_lacks_something(what: str, why: str, prepared: Prepared) -> None:
    spoil(what, prepared)
    assert not prepared.runs()
    assert why in prepared.log.first
    prepared.device.synchronize()
    assert (prepared.device.at(prepared.addresses["y"], 64) == 0xFF).all()  # nothing has run


def test_a_profile_that_another_context_has_or_that_is_not_there(prepared: Prepared) -> None:
    engine: Any = prepared.context._engine
    other = engine.create_execution_context(ExecutionContextAllocationStrategy.USER_MANAGED)
    assert "Profile 0 has been chosen by another" in prepared.log.first
    for profile, why in ((0, "profile 0 is in use by another context"), (2, "profile 2 is out of range")):
        prepared.log.forget()
        assert not other.set_optimization_profile_async(profile, prepared.device.stream)
        assert why in prepared.log.first
    assert other.set_optimization_profile_async(1, prepared.device.stream)


def test_the_first_run_after_a_change_cannot_be_captured(prepared: Prepared) -> None:
    ran: list[bool] = []
    for rows in (2, 3):
        for name, shape in (("x", (rows, 8)), ("lengths", (rows,))):
            assert prepared.context.set_input_shape(name, shape)
        prepared.device.capture(lambda: ran.append(prepared.runs()))
        assert prepared.runs()
        prepared.device.capture(lambda: ran.append(prepared.runs()))
    assert ran == [False, True, False, True]
