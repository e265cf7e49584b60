"""What TensorRT's plans are bound to on this machine: its GPU, driver and CUDA, and the release that is installed."""

from __future__ import annotations

import importlib
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

from edgekit.engines.place import Place
from edgekit.machine.cuda import driver_cuda
from edgekit.machine.detect import Machine
from edgekit.machine.gpus import Gpu, matching

_DISTRIBUTIONS = {
    "tensorrt": ("tensorrt", "tensorrt-cu13", "tensorrt-cu12"),
    "tensorrt_rtx": ("tensorrt-rtx-cu13", "tensorrt-rtx-cu12", "tensorrt-rtx"),
}


def like(place: Place, here: Machine) -> Place:
    """Return what this machine has of the kind of ``place``: its GPU, with that TensorRT."""
    gpu = matching(here.gpus, place.compute_capability) or next(iter(here.gpus), Gpu(""))
    return Place(
        engine=place.engine,
        version=version_of(place.engine),
        arch=here.arch,
        device=gpu.name,
        compute_capability=gpu.compute_capability,
        driver=gpu.driver,
        cuda=driver_cuda(),
        l4t=here.l4t,
    )


def version_of(module: str) -> str:
    """Return the release of an installed TensorRT, "10.3.0"; "" where there is none. It is loaded only where no package
    tells."""
    for name in _DISTRIBUTIONS.get(module, ()):
        with suppress(PackageNotFoundError):
            return version(name)
    with suppress(ImportError, OSError, AttributeError):
        return str(importlib.import_module(module).__version__)
    return ""
