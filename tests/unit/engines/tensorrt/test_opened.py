"""What TensorRT or the GPU may refuse as an engine opens: one clear error each, and nothing is held afterwards."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest

from edgekit.errors import EngineError
from tests.simulated_tensorrt.context import Context
from tests.simulated_tensorrt.device import FakeDevice
from tests.simulated_tensorrt.module import Engine, FakeTensorRt, Runtime
from tests.simulated_tensorrt.plan import plans
from tests.simulated_tensorrt.refusing import NO_ROOM, holds_nothing, refuse
from tests.simulated_tensorrt.rtx import RuntimeConfig
from tests.unit.engines.tensorrt.case import CONTEXT, SLOTS, Case, closing, near, read

Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Said:
    """What an error says; the error itself holds what it passed on its way."""

    message: str
    hint: str

    def matches(self, pattern: str) -> bool:
        return re.search(pattern, self.message) is not None


def refused(case: Case, name: Any = "tensorrt", *, configs: bool = False) -> Said:
    """The error of opening; asserts that it leaves nothing behind."""
    device = FakeDevice()
    module = FakeTensorRt(device, name, configs=configs)
    try:
        case.open(device, module)
    except EngineError as error:
        said = Said(error.message, error.hint)
    assert holds_nothing(device, module)
    return said


MAKE = (Engine, "create_execution_context")
SET = (Context, "set_optimization_profile_async")
PLACE, SHAPE = (Context, "set_tensor_address"), (Context, "set_input_shape")
REFUSED: dict[str, tuple[tuple[type, str], Any, str, str]] = {
    "a context raises": (
        MAKE,
        RuntimeError("no good\nand more"),
        "vision",
        r"vision\.plan can't be made ready: no good$",
    ),
    "a context is none": (MAKE, None, "decoder", r"decoder\.plan can't be made ready$"),
    "a profile": (SET, False, "decoder", r"decoder\.plan can't be made ready$"),
    "a shape": (SHAPE, False, "pixels", r"vision\.plan takes no pixels of shape \(1, 3, 28, 28\)$"),
    "an input's address": (PLACE, False, "pixels", r"vision\.plan takes no pixels$"),
    "an output's address": (PLACE, False, "features", r"vision\.plan takes no features$"),
    "the last output's address": (PLACE, False, "embeds", r"projector\.plan takes no embeds$"),
    "the logits' address": (PLACE, False, "logits", r"decoder\.plan takes no logits$"),
    "new values' address": (PLACE, False, "present.1.value", r"decoder\.plan takes no present\.1\.value$"),
}
"""What refuses, its answer, for which plan or tensor, and what the error says then."""


@pytest.mark.parametrize(("call", "answer", "wanted", "message"), REFUSED.values(), ids=list(REFUSED))
def test_what_tensorrt_refuses_at_the_start(
    call: tuple[type, str], answer: Any, wanted: str, message: str, mine: Case, monkeypatch: Patch
) -> None:
    with monkeypatch.context() as patch:
        refuse(patch, *call, answer, wanted)
        error = refused(mine)
        assert f"TensorRT: {mine.plans}" in error.message
        assert error.matches(message)
        assert error.hint == f"Run: edgekit compile {mine.bundle.path}"
    with monkeypatch.context() as patch:
        refuse(patch, *call, answer, wanted, NO_ROOM)
        error = refused(mine)
        assert error.message.endswith(f": {NO_ROOM}")
        assert error.hint.startswith("End other programs that use the GPU")
    with closing(mine.open()) as engine:  # the next try is as the first
        near(read(engine, 0, [5, 6]), mine.expected(engine, [5, 6]))


@pytest.mark.parametrize("more", [{"name": "tensorrt_rtx"}, {"configs": True}], ids=["rtx", "configs"])
@pytest.mark.parametrize("answer", [None, RuntimeError("no good")], ids=["none", "raises"])
def test_a_context_by_its_config_is_refused_alike(
    answer: Any, more: dict[str, Any], mine: Case, monkeypatch: Patch
) -> None:
    refuse(monkeypatch, *MAKE, answer, "projector")
    assert refused(mine, **more).matches(r"projector\.plan can't be made ready" + (": no good$" if answer else "$"))


def test_a_config_that_is_not_to_be_had(mine: Case, monkeypatch: Patch) -> None:
    refuse(monkeypatch, RuntimeConfig, "set_execution_context_allocation_strategy", TypeError("no such strategy"))
    assert refused(mine, "tensorrt_rtx").matches(r"vision\.plan can't be made ready: no such strategy$")


def grumble(patch: Patch, kind: type, method: str) -> None:
    """``method`` does what it does, and logs an error all the same."""
    usual = getattr(kind, method)

    def called(self: Any, *given: Any) -> Any:
        answer = usual(self, *given)
        logger = self._logger if kind is Runtime else getattr(self, "_engine", self).logger
        logger.log(logger.Severity.ERROR, NO_ROOM)
        return answer

    patch.setattr(kind, method, called)


@pytest.mark.parametrize("what", ["a context is none", "a profile", "a shape", "an output's address"])
def test_the_reason_is_that_of_what_failed(what: str, mine: Case, monkeypatch: Patch) -> None:
    """An error that TensorRT logs and goes on from must not stand in for the one that it stops at."""
    for before in ((Runtime, "deserialize_cuda_engine"), MAKE, SET, PLACE):
        grumble(monkeypatch, *before)
    call, answer, wanted, message = REFUSED[what]
    refuse(monkeypatch, *call, answer, wanted)
    error = refused(mine)
    assert error.matches(message)
    assert error.hint == f"Run: edgekit compile {mine.bundle.path}"


def test_a_shape_outside_a_plan_s_profile(mine: Case) -> None:
    plan = plans(mine.bundle.path / "graphs", mine.bundle.manifest.spec, SLOTS, CONTEXT)["vision"]
    shape = (2, 3, 28, 28)
    replace(plan, profiles=[{"pixels": (shape, shape, shape)}]).write(mine.plans / "vision.plan")
    assert refused(mine).matches(r"takes no pixels of shape \(1, 3, 28, 28\): Set dimension .* does not satisfy")


@pytest.mark.parametrize(("name", "tensor"), [("vision", "features"), ("projector", "embeds")])
def test_an_output_whose_shape_is_not_known(name: str, tensor: str, mine: Case, monkeypatch: Patch) -> None:
    refuse(monkeypatch, Context, "get_tensor_shape", (1, -1, 72), tensor)
    error = refused(mine)
    assert error.message == (
        f"{mine.plans / name}.plan does not fit this bundle: the shape of its tensor {tensor} can't be known beforehand"
    )
    assert error.hint == f"Run: edgekit compile {mine.bundle.path}"


@pytest.mark.parametrize("call", ["allocate", "pin", "compile", "clear_lines", "synchronize"])
def test_whichever_call_the_gpu_refuses_at_the_start(call: str, case: Case, monkeypatch: Patch) -> None:
    """Each call in turn is the one that fails, until none is left."""

    class Failing(FakeDevice):
        def __init__(self, number: int) -> None:
            super().__init__()
            self.left = number

    usual = getattr(FakeDevice, call)

    def counted(self: Failing, *given: Any) -> Any:
        self.left -= 1
        if self.left == 0:
            raise EngineError("The GPU has fallen off the bus", "Restart the machine.")
        return usual(self, *given)

    monkeypatch.setattr(Failing, call, counted, raising=False)
    for number in range(1, 100):
        device = Failing(number)
        module = FakeTensorRt(device)
        opened = False
        with suppress(EngineError), closing(case.open(device, module)):
            opened, device.left = True, 0  # closing it is another matter
        assert holds_nothing(device, module), number
        if opened:
            break
    assert 1 < number < 99
