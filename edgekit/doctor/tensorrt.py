"""TensorRT and what runs its engines: Python modules, by the packages that bring them, against driver and GPU.

A package of NVIDIA's says in its name for which CUDA it is: tensorrt-rtx-cu13. A driver runs CUDA up to the major that
it tells, and every older one (NVIDIA's guide "CUDA Compatibility").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from packaging.version import InvalidVersion, Version

from edgekit.doctor.diagnosis import Diagnosis
from edgekit.doctor.nvidia import cuda_major, newer
from edgekit.engines.tensorrt.api import OLDEST, TITLES, Flavour
from edgekit.machine.detect import JETSONS
from edgekit.machine.host import Host
from edgekit.machine.installed import in_toolkit, searched
from edgekit.machine.smi import status
from edgekit.target import Target

_PACKAGES = ("tensorrt", "tensorrt-cu12", "tensorrt-cu13", "tensorrt-rtx", "tensorrt-rtx-cu12", "tensorrt-rtx-cu13")
_CUDA, _NVRTC = "cuda-python", "nvidia-cuda-nvrtc"
_SLOWER = "keys and values would be written by copies, which takes longer"


def tensorrt(host: Host, target: Target) -> Iterator[Diagnosis]:
    """Say what is installed; bad where the target computes on TensorRT and there is none that can."""
    packages = {name: package.version for name in _PACKAGES if (package := host.installed(name))}
    if not TITLES.keys() & set(target.kind.modules):
        if packages:
            yield Diagnosis("tensorrt", "good", _named(packages))
    elif target.arch not in ("any", host.machine.arch):
        theirs = "a Jetson has TensorRT of its own with JetPack" if _for_jetson(target) else "this machine is another"
        what = f"target {target.name} is for {target.arch}: {theirs}"
        yield Diagnosis("tensorrt", "unknown", what, "edgekit doctor   (on the device)")
    else:
        yield from _installed(host, target, packages)


def _installed(host: Host, target: Target, packages: Mapping[str, str]) -> Iterator[Diagnosis]:
    # EdgeKit takes TensorRT before TensorRT-RTX.
    used = {name: version for name, version in packages.items() if _flavour(name) == "tensorrt"} or packages
    too_new = [name for name in used if 0 < cuda_major(host) < _cuda_of(name)]
    unfit = _cuda_python(host, driver_stays=host.machine.jetson != "" or not too_new)
    if not packages:
        what = f"there is none, and target {target.name} computes on it"
        yield Diagnosis("tensorrt", "bad", what, _mend(host, target))
        return
    if any(_old(name, version) for name, version in used.items()):
        what = f"{_named(used)} is too old: EdgeKit needs TensorRT 10.3 or TensorRT-RTX 1.7"
        yield Diagnosis("tensorrt", "bad", what, _mend(host, target))
    elif _for_jetson(target) and _flavour(next(iter(used))) == "tensorrt_rtx":
        what = f"{_named(used)} builds for no Jetson (compute capability {target.compute_capability})"
        yield Diagnosis("tensorrt", "bad", what, _mend(host, target))
    elif too_new:
        what = f"{_named(used)} needs a driver that runs CUDA {_cuda_of(too_new[0])}, this one runs up to {_runs(host)}"
        without = f"pip uninstall {' '.join(used)}   (a Jetson has its own with JetPack)"
        yield Diagnosis("tensorrt", "bad", what, without if host.machine.jetson else newer(host))
    else:
        yield Diagnosis("tensorrt", "good", _named(packages))
        yield from () if unfit else _nvrtc(host)
    if unfit:
        yield unfit


def _cuda_python(host: Host, driver_stays: bool) -> Diagnosis | None:
    """By its major, which must be the driver's at most; a driver that has to be a newer one anyway is not asked."""
    wanted = f"pip install '{_CUDA}=={12 if cuda_major(host) == 12 else 13}.*'"
    package = host.installed("cuda-bindings") or host.installed(_CUDA)
    if package is None:
        return Diagnosis("tensorrt", "bad", f"lacks {_CUDA}, by which engines get memory of the GPU", wanted)
    major = _release(package.version)[:1]
    if driver_stays and (0,) < (cuda_major(host),) < major:
        what = f"{package.name} {package.version} is for CUDA {major[0]}, the driver runs up to {_runs(host)}"
        return Diagnosis("tensorrt", "bad", what, newer(host) if cuda_major(host) < 12 else wanted)
    return None


def _nvrtc(host: Host) -> Iterator[Diagnosis]:
    """The compiler of the kernel that writes keys and values; engines run without, slower.

    cuda-python, of either major, takes the newest that it finds among Python's packages, then among the system's
    libraries (cuda-pathfinder 1.9); what that makes must be nothing that the driver can't read.
    """
    runs, wheel = cuda_major(host), host.installed(_NVRTC)
    version = wheel.version if wheel else ""
    major = next(iter(_release(version)), 0)
    if 0 < runs < major:
        what = f"{_NVRTC} {version} is for CUDA {major}, the driver runs up to {_runs(host)}: {_SLOWER}"
        mend = f"pip uninstall -y {_NVRTC} && pip install '{_NVRTC}-cu{runs}=={runs}.*'"
        yield Diagnosis("tensorrt", "bad", what, mend)
    elif not (major or host.installed(f"{_NVRTC}-cu12") or _library(host, runs)):
        name = f"{_NVRTC}-cu12==12.*" if runs == 12 else f"{_NVRTC}==13.*"
        mend = "sudo apt update && sudo apt install nvidia-jetpack" if host.machine.jetson else f"pip install '{name}'"
        yield Diagnosis("tensorrt", "bad", f"lacks NVRTC: {_SLOWER}", mend)


def _library(host: Host, runs: int) -> bool:
    """Whether the system has one that a driver of CUDA ``runs`` (0: it doesn't tell) can be given the code of."""
    names = [f"libnvrtc.so.{major}" for major in (12, 13) if not runs or major <= runs]
    return any(searched(host, name) or in_toolkit(host, name) for name in names)


def _named(packages: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in packages.items())


def _runs(host: Host) -> str:
    return status(host.run).newest_cuda or str(cuda_major(host))


def _for_jetson(target: Target) -> bool:
    """Whether it is for a Jetson's GPU; TensorRT-RTX knows none of them (its support matrix)."""
    return target.compute_capability in JETSONS.values()


def _flavour(package: str) -> Flavour:
    return "tensorrt_rtx" if package.startswith("tensorrt-rtx") else "tensorrt"


def _cuda_of(package: str) -> int:
    """The major of the CUDA that a package is for; 0 where its name does not say."""
    match = re.search(r"-cu(\d+)$", package)
    return int(match[1]) if match else 0


def _release(version: str) -> tuple[int, ...]:
    try:
        return Version(version).release
    except InvalidVersion:
        return ()  # a build of someone else's, who knows what it is


def _old(package: str, version: str) -> bool:
    return () < _release(version) < OLDEST[_flavour(package)]


def _mend(host: Host, target: Target) -> str:
    if host.machine.jetson or _for_jetson(target):
        return "sudo apt update && sudo apt install nvidia-jetpack"
    return "pip install 'edgekit[rtx]'"
