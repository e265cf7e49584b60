"""Is the library there that a Jetson's TensorRT can't be loaded without, though nothing here uses what it is for?

On L4T 36 (JetPack 6) libnvinfer needs libnvdla_compiler.so, the DLA's compiler, which is of a package of its own:
systems flashed by others than NVIDIA lack it, and `import tensorrt` fails where CUDA works. It lies in the folder
nvidia of /usr/lib/aarch64-linux-gnu. In a container it is the machine's, mounted over an empty file. JetPack 7 has
neither.
"""

from __future__ import annotations

from collections.abc import Iterator

from edgekit.doctor.diagnosis import Diagnosis
from edgekit.engines.tensorrt.api import TITLES
from edgekit.machine.host import Host
from edgekit.machine.installed import debian_version, searched
from edgekit.target import Target

_PACKAGE, _LIBRARY = "nvidia-l4t-dla-compiler", "libnvdla_compiler.so"
_L4T = 36


def dla(host: Host, target: Target) -> Iterator[Diagnosis]:
    """Look for it where the target computes on TensorRT and the machine runs L4T 36; silent where it is there."""
    if host.l4t != _L4T or not TITLES.keys() & set(target.kind.modules):
        return
    files = [path for path in host.glob(f"usr/lib/aarch64-linux-gnu/*/{_LIBRARY}") if path.is_file()]
    if any(path.stat().st_size for path in files):
        return
    emptied = bool(files)
    if not emptied and (searched(host, _LIBRARY) or debian_version(host, _PACKAGE) or _untold(host)):
        return
    where = f"/{files[0].relative_to(host.root)} is empty" if emptied else f"{_LIBRARY} is missing"
    what = f"{where}, without which TensorRT does not load: package {_PACKAGE}"
    yield Diagnosis("tensorrt", "bad", what, _mend(host))


def _untold(host: Host) -> bool:
    """Whether nothing can be concluded from a package that isn't listed: there is nobody who lists them."""
    return host.run("dpkg-query", "-W", "-f=${db:Status-Status} ${Version}", _PACKAGE).code is None


def _mend(host: Host) -> str:
    install = f"sudo apt update && sudo apt install {_PACKAGE}"
    return f"On the machine that this container runs on: {install}" if host.container else install
