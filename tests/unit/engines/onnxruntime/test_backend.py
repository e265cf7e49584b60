"""ONNX Runtime as a backend: the processor that packed weights are for."""

from __future__ import annotations

import pytest

from edgekit.engines.onnxruntime.backend import here
from edgekit.machine.detect import detect


@pytest.mark.parametrize(("name", "arch"), [("AMD64", "x86_64"), ("arm64", "aarch64")])
def test_a_place_has_the_architecture_that_a_look_has(name: str, arch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name that targets have for it, whatever the system calls it."""
    monkeypatch.setattr("platform.machine", lambda: name)
    assert here().arch == detect(gpus=()).arch == arch
