"""The simulated TensorRT, told to refuse one thing; and whether anything is held when all is over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.simulated_tensorrt.device import FakeDevice
from tests.simulated_tensorrt.module import FakeTensorRt

NO_ROOM = "Requested size was 1024 bytes: OutOfMemory (no further information)"
"""What TensorRT logs then."""


def refuse(patch: pytest.MonkeyPatch, kind: type, method: str, answer: Any, wanted: str = "", said: str = "") -> None:
    """``method`` answers, or raises, ``answer`` where its plan is ``wanted``'s, or its first argument is ``wanted``."""
    usual = getattr(kind, method)

    def called(self: Any, *given: Any, **named: Any) -> Any:
        engine = getattr(self, "_engine", self)
        if wanted not in ("", *given[:1], Path(engine.plan.graph).stem if hasattr(engine, "plan") else ""):
            return usual(self, *given, **named)
        if said:
            engine.logger.log(engine.module.ILogger.Severity.ERROR, said)
        if isinstance(answer, Exception):
            raise type(answer)(*answer.args)  # one of its own: what it passes on its way, it holds
        return answer

    patch.setattr(kind, method, called)


def holds_nothing(device: FakeDevice, module: FakeTensorRt) -> bool:
    return device.closed and not device.memory and not device.pinned and module.alive == 0
