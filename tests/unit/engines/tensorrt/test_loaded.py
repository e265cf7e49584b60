"""Three opened plans: one scratch for all that run with them, and nothing that stays when they are closed."""

from __future__ import annotations

from typing import Any

import pytest

from edgekit.engines.tensorrt.loaded import Loaded
from edgekit.errors import EngineError
from tests.simulated_tensorrt.context import Context
from tests.simulated_tensorrt.device import FakeDevice
from tests.simulated_tensorrt.module import FakeTensorRt, Runtime
from tests.simulated_tensorrt.refusing import refuse
from tests.unit.engines.tensorrt.case import CONTEXT, SLOTS, Case


def load(case: Case, device: FakeDevice, module: FakeTensorRt | None = None) -> Loaded:
    return Loaded(case.plans, module or FakeTensorRt(device), device, "Run: edgekit compile BUNDLE")


def test_contexts_share_a_scratch_of_the_largest_and_have_a_profile_each(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    lent: list[tuple[int, int]] = []
    usual = Context.set_device_memory

    def lend(self: Context, memory: int, size: int) -> None:
        lent.append((memory, size))
        usual(self, memory, size)

    monkeypatch.setattr(Context, "set_device_memory", lend)
    device = FakeDevice()
    module = FakeTensorRt(device)
    with load(case, device, module) as loaded:
        vision, projector, decode, prefill = (context._context for context in loaded.contexts())
        assert [(address, memory.size) for address, memory in device.memory.items()] == lent[:1] == [(lent[0][0], 9000)]
        assert lent == lent[:1] * 4
        assert (vision.profile, projector.profile) == (0, 0)
        assert {decode.profile, prefill.profile} == {0, 1}
        most = [context._engine.plan.profiles[context.profile]["inputs_embeds"][2] for context in (decode, prefill)]
        assert [list(shape[:2]) for shape in most] == [[SLOTS, 1], [1, CONTEXT]]
        del vision, projector, decode, prefill
    assert not module.complaints  # each took its profile before another asked for it
    assert not device.memory
    assert module.alive == 0
    loaded.close()  # again is nothing


def test_a_plan_that_is_missing_leaves_none_of_the_others_open(mine: Case) -> None:
    (mine.plans / "decoder.plan").unlink()
    device = FakeDevice()
    module = FakeTensorRt(device)
    with pytest.raises(EngineError, match=r"decoder\.plan can't be read") as caught:
        load(mine, device, module)
    assert "Run: edgekit compile BUNDLE" in caught.value.hint
    del caught
    assert module.alive == 0


def test_a_context_that_is_refused_gives_the_scratch_back(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, Context, "set_optimization_profile_async", False, "decoder")
    device = FakeDevice()
    with pytest.raises(EngineError, match=r"decoder\.plan can't be made ready"), load(case, device) as loaded:
        loaded.contexts()
    assert not device.memory


@pytest.mark.parametrize("flavour", ["tensorrt", "tensorrt_rtx"])
def test_a_runtime_that_does_not_start(flavour: Any, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: FakeTensorRt, logger: Any) -> Runtime:
        logger.log(self.ILogger.Severity.ERROR, "CUDA initialization failure with error: 35")
        raise TypeError("pybind11::init(): factory function returned nullptr")

    monkeypatch.setattr(FakeTensorRt, "Runtime", fail)
    device = FakeDevice()
    with pytest.raises(EngineError) as caught:
        load(case, device, FakeTensorRt(device, flavour))
    title = "TensorRT" if flavour == "tensorrt" else "TensorRT-RTX"
    assert caught.value.message == f"{title} 10.3.0 can't start: CUDA initialization failure with error: 35"
    assert "edgekit doctor" in caught.value.hint
