"""What a compiled form was made for: a processor and a runtime, or a GPU with all that its engines are bound to."""

from __future__ import annotations

import hashlib
import importlib
import json
import platform
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import onnxruntime as ort

from edgekit import config, machine
from edgekit.errors import EngineError
from edgekit.machine.cuda import driver_cuda
from edgekit.machine.detect import cpu_features
from edgekit.machine.gpus import Gpu, fitting, silence, untold
from edgekit.machine.nvml import how_to_tell
from edgekit.target import Target

_DISTRIBUTIONS = {
    "tensorrt": ("tensorrt", "tensorrt-cu13", "tensorrt-cu12"),
    "tensorrt_rtx": ("tensorrt-rtx-cu13", "tensorrt-rtx-cu12", "tensorrt-rtx"),
}


@dataclass(frozen=True)
class Place:
    """What packed weights depend on: the runtime, and a processor's ``features``.

    An engine of TensorRT's depends on a GPU instead: one that was built on a device is for its ``device``,
    ``compute_capability``, ``driver``, ``cuda`` and ``l4t``; one that was built ahead is for a compute capability, and
    what it leaves empty may be anything.
    """

    engine: str
    version: str
    arch: str
    features: tuple[str, ...] = ()
    device: str = ""
    compute_capability: str = ""
    driver: str = ""
    cuda: str = ""
    l4t: str = ""

    @property
    def fingerprint(self) -> str:
        """Names the folder, so that one bundle can hold forms for several machines."""
        given = {name: value for name, value in config.dump(self).items() if value != ""}
        return hashlib.sha256(json.dumps(given).encode()).hexdigest()[:16]

    def differences(self, other: Place) -> list[str]:
        """What of ``other`` is not as here, in words."""
        found = []
        if (other.engine, other.version) != (self.engine, self.version):
            found.append(f"{other.engine} {other.version}, here {self.version or 'none'}")
        if other.arch != self.arch:
            found.append(f"an {other.arch} processor, here {self.arch}")
        elif odd := sorted(set(other.features) ^ set(self.features)):
            found.append(f"a processor that differs in {', '.join(odd)}")
        for what, theirs, ours in (
            ("", other.device, self.device),
            ("compute capability ", other.compute_capability, self.compute_capability),
            ("driver ", other.driver, self.driver),
            ("CUDA ", other.cuda, self.cuda),
            ("L4T ", other.l4t, self.l4t),
        ):
            if theirs and theirs != ours:
                found.append(f"{what}{theirs}, here {ours or 'none'}")
        return found


def like(place: Place) -> Place:
    """What this machine has of the kind of ``place``: its processor, or its GPU with that TensorRT."""
    if place.engine == "onnxruntime":
        return here()
    computer = machine.look()
    gpu = fitting(computer.gpus, place.compute_capability) or next(iter(computer.gpus), Gpu(""))
    return Place(
        place.engine,
        version_of(place.engine),
        computer.arch,
        (),
        gpu.name,
        gpu.compute_capability,
        gpu.driver,
        driver_cuda(),
        computer.l4t,
    )


def gpu_for(target: Target) -> Gpu | None:
    """This machine's GPU of the target's kind; None without one.

    :class:`EngineError` where there is a GPU that may be it and does not tell: a driver that was updated and not
    started anew, say, must not look like a machine without a GPU.
    """
    computer = machine.look()
    found = fitting(computer.gpus, target.compute_capability)
    silent = untold(computer.gpus)
    if found is None and silent is not None and target.arch in ("any", computer.arch):
        raise EngineError(f"{silence(silent)}: it may be {target.title}'s", how_to_tell())
    return found


def version_of(module: str) -> str:
    """Of an installed TensorRT: "10.3.0"; "" where there is none. It is loaded only where no package tells."""
    for name in _DISTRIBUTIONS.get(module, ()):
        with suppress(PackageNotFoundError):
            return version(name)
    with suppress(ImportError, OSError, AttributeError):
        return str(importlib.import_module(module).__version__)
    return ""


def here() -> Place:
    """This machine's processor, with the ONNX Runtime that is installed."""
    return Place("onnxruntime", ort.__version__, platform.machine(), cpu_features())
