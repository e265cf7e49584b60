"""Does the GPU compute? Asked of CUDA itself: a GPU that only nvidia-smi sees leaves everything to the processor."""

from __future__ import annotations

from collections.abc import Iterator

from edgekit.doctor.diagnosis import Diagnosis, said
from edgekit.doctor.nvidia import install, wants_gpu
from edgekit.machine.cuinit import Start, start_cuda
from edgekit.machine.host import Host
from edgekit.target import Target

# cuda.h, CUresult.
_NO_DEVICE, _OPERATING_SYSTEM, _NOT_READY, _MISMATCH, _UNKNOWN = 100, 304, 802, 803, 999


def cuinit(host: Host, target: Target) -> Iterator[Diagnosis]:
    """Start CUDA where the target computes on a GPU and one is seen; where none is, `gpu` says so."""
    if not wants_gpu(target) or not host.machine.gpus:
        return
    start, reply = start_cuda(host)
    if start is not None:
        yield _judged(host, start)
    elif reply.code is None:
        yield Diagnosis("gpu", "unknown", f"whether CUDA starts: Python {reply.why}", _kernel_log(host))
    elif reply.code < 0:
        yield Diagnosis("gpu", "bad", f"CUDA ends its process when it starts (signal {-reply.code})", _kernel_log(host))
    else:
        yield Diagnosis("gpu", "unknown", f"whether CUDA starts: {said(reply.err)}", _kernel_log(host))


def _judged(host: Host, start: Start) -> Diagnosis:
    if start.code == 0 and start.gpus:
        return Diagnosis("gpu", "good", f"CUDA starts and sees {start.gpus} GPU{'s' * (start.gpus > 1)}")
    if start.code < 0:
        what = f"CUDA can't start: the driver's library is missing ({said(start.name)})"
        return Diagnosis("gpu", "bad", what, _library(host))
    told = f"cuInit says {start.code} ({start.name})" if start.code else "cuInit succeeds and shows no GPU"
    return Diagnosis("gpu", "bad", f"a GPU is listed and CUDA does not start on it: {told}", _mend(host, start.code))


def _mend(host: Host, code: int) -> str:
    if code == _MISMATCH:
        return "Restart the machine that this container runs on." if host.container else "sudo reboot"
    if host.wsl:
        return install(host)
    if host.container:
        return f"{install(host)}   If it was: edgekit doctor on the machine itself, outside of the container"
    if code == _NOT_READY:
        return "sudo systemctl restart nvidia-fabricmanager   (GPUs joined by NVSwitch wait for it)"
    if host.machine.jetson:
        return _kernel_log(host)
    if code == _OPERATING_SYSTEM:
        return "Look what is refused to this process: sudo dmesg | grep -iE 'nvrm|apparmor|denied'"
    if code in (0, _NO_DEVICE):
        return "sudo nvidia-modprobe -u -c=0   then: sudo dmesg | grep -iE 'nvrm|xid'"
    if code == _UNKNOWN:
        return "sudo modprobe -r nvidia_uvm && sudo modprobe nvidia_uvm   (as after a suspend)"
    return _kernel_log(host)


def _library(host: Host) -> str:
    if host.machine.jetson and not host.container:
        return "sudo apt update && sudo apt install --reinstall nvidia-l4t-cuda"
    return install(host)


def _kernel_log(host: Host) -> str:
    return f"sudo dmesg | grep -iE '{'nvgpu|nvmap' if host.machine.jetson else 'nvrm|xid'}'"
