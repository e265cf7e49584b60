"""ONNX Runtime, and the CUDA libraries that its GPU build loads.

ONNX Runtime is asked in a process of its own, since a broken one may end its process. What its CUDA provider needs is
what the loader says (`ldd`: "libcublas.so.13 => not found"); the CUDA that it was built for stands in its own
``capi/build_and_package_info.py``. cuDNN's version is that of the file its name leads to (libcudnn.so.9.3.0).
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from edgekit.doctor.diagnosis import Diagnosis, said
from edgekit.doctor.nvidia import wants_gpu_build
from edgekit.machine.host import Host
from edgekit.machine.installed import searched
from edgekit.machine.smi import status
from edgekit.target import Target

_ASK = "import json, onnxruntime as o; print(json.dumps([o.__version__, o.get_available_providers()]))"
_NEITHER = "pip uninstall -y onnxruntime onnxruntime-gpu"
_CUDNN = "libcudnn.so.9"


def runtime(host: Host, target: Target) -> Iterator[Diagnosis]:
    """Say which build is installed, whether it starts, and whether it has the provider that the target computes on."""
    installed = [name for name in ("onnxruntime", "onnxruntime-gpu") if host.installed(name)]
    if len(installed) == 2:
        what = "onnxruntime and onnxruntime-gpu are both installed and overwrite each other"
        alone = gpu_build(host) if wants_gpu_build(target) else f"{_NEITHER} && pip install --no-cache-dir onnxruntime"
        yield Diagnosis("runtime", "bad", what, alone)
        return
    reply = host.run(sys.executable, "-c", _ASK, seconds=60)
    if reply.code is None:
        yield Diagnosis("runtime", "unknown", f"Python {reply.why}")
        return
    answer = _answer(reply.out)
    if answer is None:
        mend = f"pip install --force-reinstall --no-cache-dir {installed[0]}" if installed else _install(host, target)
        yield Diagnosis("runtime", "bad", f"ONNX Runtime does not start: {said(reply.err)}", mend)
        return
    version, providers = answer
    names = ", ".join(name.removesuffix("ExecutionProvider") for name in providers)
    if wants_gpu_build(target) and "CUDAExecutionProvider" not in providers:
        what = f"ONNX Runtime {version} without CUDA ({names}); target {target.name} computes on the GPU"
        yield Diagnosis("runtime", "bad", what, _install(host, target))
    else:
        yield Diagnosis("runtime", "good", f"ONNX Runtime {version}: {names}")


def _answer(text: str) -> tuple[str, list[str]] | None:
    try:
        version, providers = json.loads(text.strip().splitlines()[-1])
        return str(version), [str(name) for name in providers]
    except (ValueError, TypeError, IndexError):
        return None


def _install(host: Host, target: Target) -> str:
    return gpu_build(host) if wants_gpu_build(target) else "pip install onnxruntime"


def gpu_build(host: Host) -> str:
    """Say how ONNX Runtime's GPU build takes the other's place.

    JetPack 6 has Python 3.10, for which ONNX Runtime's own publishers have no GPU wheel on aarch64.
    """
    if host.l4t == 36:
        return f"{_NEITHER}; then install the wheel for JetPack 6: elinux.org/Jetson_Zoo#ONNX_Runtime"
    return f"{_NEITHER} && pip install --no-cache-dir onnxruntime-gpu"


def cuda(host: Host, target: Target) -> Iterator[Diagnosis]:
    """Look for the libraries that the GPU build would load; silent of a build without CUDA, or one that isn't used."""
    package = host.installed("onnxruntime-gpu")
    if package is None or not target.kind.provider:
        return
    folder = Path(str(package.locate_file("onnxruntime/capi")))
    library = folder / "libonnxruntime_providers_cuda.so"
    if not library.exists():
        return  # overwritten by the other build; `runtime` says so
    built = _built_for(folder)
    newest = status(host.run).newest_cuda
    if built and newest and int(newest.split(".")[0]) < int(built.split(".")[0]):
        what = f"onnxruntime-gpu is built for CUDA {built}, the driver runs up to {newest}"
        yield Diagnosis("cuda", "bad", what, _older(host, built))
    reply = host.run("ldd", str(library))
    if reply.code != 0:
        yield Diagnosis("cuda", "unknown", f"ldd {reply.why or said(reply.err)}")
        return
    missing, paths = _loaded(reply.out)
    cudnn = paths.get(_CUDNN) or ("" if _CUDNN in missing else searched(host, _CUDNN))
    if not cudnn and _CUDNN not in missing:
        missing.append(_CUDNN)
    if missing:
        yield Diagnosis("cuda", "bad", f"not found: {', '.join(missing)}", _libraries(host, missing))
    else:
        named = f"CUDA {built} libraries" if built else "CUDA libraries"
        yield Diagnosis("cuda", "good", f"{named}, cuDNN {_version(cudnn)}, found by the loader")


def _built_for(folder: Path) -> str:
    """The CUDA of the build ("13.0"); a build of someone else's may not tell it."""
    try:
        text = (folder / "build_and_package_info.py").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    match = re.search(r"cuda_version\s*=\s*['\"](\d+\.\d+)", text)
    return match[1] if match else ""


def _older(host: Host, built: str) -> str:
    if host.machine.jetson:
        return "Install the onnxruntime-gpu wheel for this JetPack: elinux.org/Jetson_Zoo#ONNX_Runtime"
    if host.wsl:
        return "Update NVIDIA's driver in Windows."
    return "sudo apt full-upgrade && sudo reboot   (a driver that runs CUDA " + built.split(".")[0] + ")"


def _loaded(text: str) -> tuple[list[str], dict[str, str]]:
    """What `ldd` says: the libraries that are missing (the driver's own aside), and where the others lie."""
    rows = re.findall(r"^\s*(\S+) => (not found|\S+)", text, re.MULTILINE)
    missing = [name for name, path in rows if path == "not found" and not name.startswith("libcuda.so")]
    return missing, {name: path for name, path in rows if path != "not found"}


def _version(path: str) -> str:
    """Of a library by the file that its name leads to: ``libcudnn.so.9 -> libcudnn.so.9.3.0``."""
    try:
        return Path(path).resolve().name.partition(".so.")[2] or "unknown"
    except OSError:
        return "unknown"


def _libraries(host: Host, missing: list[str]) -> str:
    """They may lie among Python's packages (pip's nvidia-*), where the loader finds them only when told."""
    folders: dict[str, None] = {}  # keeps their order
    for name in missing:
        for site in host.site:
            folders.update({str(path.parent): None for path in Path(site).glob(f"nvidia/*/lib/{name}")})
    if folders:
        return f"export LD_LIBRARY_PATH={':'.join(folders)}"
    if host.machine.jetson:
        return "sudo apt update && sudo apt install nvidia-jetpack"
    return "pip install 'onnxruntime-gpu[cuda,cudnn]'   then run this again: it says how to have them found"
