"""TensorRT and what runs its engines: Python modules, by the packages that bring them."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.version import InvalidVersion, Version

from edgekit.doctor.finding import Finding
from edgekit.doctor.host import Host
from edgekit.engines.tensorrt.api import OLDEST, Flavour
from edgekit.target import Target

_PACKAGES = ("tensorrt", "tensorrt-cu12", "tensorrt-cu13", "tensorrt-rtx", "tensorrt-rtx-cu12", "tensorrt-rtx-cu13")
_CUDA = "cuda-python"


def tensorrt(host: Host, target: Target) -> Iterator[Finding]:
    """What is installed; bad where the target computes on TensorRT and there is none, or one that is too old."""
    found = {name: package.version for name in _PACKAGES if (package := host.installed(name))}
    named = ", ".join(f"{name} {version}" for name, version in found.items())
    wanted = target.engine == "tensorrt"
    if wanted and not found:
        what = f"there is none, and target {target.name} computes on it"
        yield Finding("tensorrt", "bad", what, _mend(host))
    elif wanted and any(_old(name, version) for name, version in found.items()):
        yield Finding(
            "tensorrt", "bad", f"{named} is too old: EdgeKit needs TensorRT 10.3 or TensorRT-RTX 1.7", _mend(host)
        )
    elif found:
        yield Finding("tensorrt", "good", named)
    if wanted and found and host.installed(_CUDA) is None and host.installed("cuda-bindings") is None:
        what = f"lacks {_CUDA}, by which engines get memory of the GPU"
        yield Finding("tensorrt", "bad", what, f"pip install '{_CUDA}=={'12.*' if host.l4t == 36 else '13.*'}'")


def _old(name: str, version: str) -> bool:
    flavour: Flavour = "tensorrt_rtx" if name.startswith("tensorrt-rtx") else "tensorrt"
    try:
        return Version(version).release < OLDEST[flavour]
    except InvalidVersion:
        return False  # a build of someone else's, who knows what it is


def _mend(host: Host) -> str:
    if host.machine.jetson:
        return "sudo apt update && sudo apt install nvidia-jetpack"
    return "pip install 'edgekit[rtx]'"
