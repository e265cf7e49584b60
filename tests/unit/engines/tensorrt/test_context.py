"""What TensorRT may refuse of an engine that is open: one clear error, after which it goes on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgekit.errors import EngineError
from tests.simulated_tensorrt.context import Context
from tests.simulated_tensorrt.device import FakeDevice
from tests.simulated_tensorrt.module import FakeTensorRt
from tests.simulated_tensorrt.refusing import NO_ROOM, holds_nothing, refuse
from tests.unit.engines.tensorrt.case import Case, closing, near, read

Patch = pytest.MonkeyPatch


@pytest.mark.parametrize(
    ("method", "answer", "wanted", "message"),
    [
        ("execute_async_v3", RuntimeError("illegal access"), "decoder", "failed"),
        ("execute_async_v3", False, "decoder", "failed"),
        ("set_input_shape", False, "inputs_embeds", "takes no inputs_embeds of shape (1, 2, 288)"),
        ("set_input_shape", False, "past.1.key", "takes no past.1.key of shape (1, 2, 256, 48)"),
        ("set_tensor_address", False, "lengths", "takes no lengths"),
    ],
)
def test_what_tensorrt_refuses_later_is_an_error_and_no_end(
    method: str, answer: Any, wanted: str, message: str, case: Case, monkeypatch: Patch
) -> None:
    device = FakeDevice()
    module = FakeTensorRt(device)
    with closing(case.open(device, module)) as engine:
        for said in ("", NO_ROOM):
            with monkeypatch.context() as patch:
                refuse(patch, Context, method, answer, wanted, said)
                with pytest.raises(EngineError) as failure:
                    read(engine, 0, [5, 6])
            why = said or "illegal access" * isinstance(answer, Exception)
            assert failure.value.message.endswith(f"decoder.plan {message}" + (f": {why}" if why else ""))
            assert failure.value.hint.startswith("End other programs" if said else "Run: edgekit compile")
            del failure
        near(read(engine, 0, [5, 6]), case.expected(engine, [5, 6]))
        near(engine.decode([7], [0])[0], case.expected(engine, [5, 6, 7]))
        with monkeypatch.context() as patch:  # of a step that would be captured
            refuse(patch, Context, "execute_async_v3", RuntimeError("illegal access"), "decoder")
            with pytest.raises(EngineError, match=r"decoder\.plan failed"):
                engine.decode([8], [0])
        near(engine.decode([8], [0])[0], case.expected(engine, [5, 6, 7, 8]))
        with monkeypatch.context() as patch:
            refuse(patch, Context, "execute_async_v3", False, "vision")
            with pytest.raises(EngineError, match=r"vision\.plan failed"):
                engine.features(np.zeros((1, 3, 28, 28), np.float32))
    assert holds_nothing(device, module)
