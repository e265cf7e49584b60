"""A machine with a GPU, or with TensorRT-RTX and none, for whole commands: what EdgeKit finds when it looks around."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.engines.tensorrt.api import Api
from edgekit.machine.detect import detect
from edgekit.machine.gpus import Gpu
from edgekit.units import GIB
from tests.simulated_tensorrt import builder
from tests.simulated_tensorrt.device import FakeDevice
from tests.simulated_tensorrt.module import FakeTensorRt

CARD = Gpu("NVIDIA GeForce RTX 3050", "8.6", 6 * GIB, "580.95.05")
RTX = "1.7.1.116"


def simulate(folder: Path, patch: pytest.MonkeyPatch, *gpus: Gpu, l4t: str = "") -> FakeTensorRt:
    """Have this process find ``gpus`` and a TensorRT, and its children the builder; nothing is kept in a real home."""
    patch.setenv("HOME", str(folder / "home"))
    (folder / "modules").mkdir()
    builder.install(folder / "modules")
    patch.syspath_prepend(str(folder / "modules"))
    for name in ("tensorrt", "tensorrt_rtx"):
        patch.setitem(sys.modules, name, sys)  # so that it is taken out again, whoever imports it
        patch.delitem(sys.modules, name)
    module = FakeTensorRt(FakeDevice())

    def gpu(extra: str, ordinal: int) -> FakeDevice:
        module.device = FakeDevice(module.device.room)
        return module.device

    here = replace(detect(), gpus=gpus, l4t=l4t)

    patch.setattr("edgekit.machine.look", lambda: here)
    patch.setattr("edgekit.engines.tensorrt.build.destination.version_of", lambda name: RTX)  # where built ahead
    patch.setattr("edgekit.engines.tensorrt.backend.flavour", lambda name: Api(module, name, (10, 3, 0)))
    patch.setattr("edgekit.engines.tensorrt.engine.CudaDevice", gpu)
    return module
