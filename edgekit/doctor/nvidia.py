"""NVIDIA's driver and GPU: are they there, do they answer, is it the GPU that the target means?"""

from __future__ import annotations

from collections.abc import Iterator

from edgekit.doctor.diagnosis import Diagnosis, said
from edgekit.machine.gpus import VISIBLE, matching
from edgekit.machine.host import Host
from edgekit.machine.nodes import on_the_bus
from edgekit.machine.programs import Reply
from edgekit.machine.smi import status
from edgekit.target import Target
from edgekit.units import format_bytes

_L4T_CUDA = {36: 12, 38: 13, 39: 13}  # developer.nvidia.com/embedded/jetpack-archive


def wants_gpu(target: Target) -> bool:
    return target.kind.on_gpu


def wants_gpu_build(target: Target) -> bool:
    """Say whether the target computes on ONNX Runtime's CUDA provider."""
    return target.kind.provider == "cuda"


def cuda_major(host: Host) -> int:
    """Find the major of the newest CUDA that the driver runs, which a Jetson's system tells, too; 0 where none does."""
    newest = status(host.run).newest_cuda
    return int(newest.split(".")[0]) if newest else _L4T_CUDA.get(host.l4t, 0)


def driver(host: Host, target: Target) -> Iterator[Diagnosis]:
    answer = status(host.run)
    if answer.reply.code == 0 and answer.driver:
        cuda = f"runs CUDA up to {answer.newest_cuda}" if answer.newest_cuda else "CUDA unknown"
        yield Diagnosis("driver", "good", f"{answer.driver}, {cuda}")
    elif wants_gpu(target) or host.machine.jetson:
        yield _trouble(host, answer.reply)
    elif on_the_bus(host):
        what = f"an NVIDIA GPU without a working driver; target {target.name} needs none"
        yield Diagnosis("driver", "good", what, install(host))
    else:
        yield Diagnosis("driver", "good", f"no NVIDIA GPU; target {target.name} needs none")


def _trouble(host: Host, reply: Reply) -> Diagnosis:
    """Why nvidia-smi told nothing, for a target that needs the GPU."""
    text = reply.out + reply.err
    if reply.missing:
        if host.machine.jetson:
            what = "nvidia-smi is not here to ask; a Jetson's driver comes with its system"
            return Diagnosis("driver", "unknown", what)
        return Diagnosis("driver", "bad", "no driver: nvidia-smi is not installed", install(host))
    if reply.code is None:
        hint = "sudo dmesg | grep -iE 'nvrm|xid'" if "no answer" in reply.why else ""
        return Diagnosis("driver", "unknown", f"nvidia-smi {reply.why}", hint)
    if "version mismatch" in text:
        return Diagnosis("driver", "bad", "updated but not restarted: driver and library differ", "sudo reboot")
    if "communicate with the NVIDIA driver" in text or "couldn't" in text:
        return Diagnosis("driver", "bad", "installed, but its kernel module is not loaded", _load(host))
    return Diagnosis("driver", "bad", f"nvidia-smi fails: {said(text)}", _load(host))


def _load(host: Host) -> str:
    if host.container or host.wsl:
        return install(host)
    return "sudo modprobe nvidia   where that is refused: mokutil --sb-state (Secure Boot wants a signed module)"


def install(host: Host) -> str:
    """Say how the driver comes onto this kind of machine."""
    if host.wsl:
        return "Install NVIDIA's driver in Windows, none in Linux; then, in Windows: wsl --update && wsl --shutdown"
    if host.container:
        return f"Start the container with {'--runtime nvidia' if host.machine.jetson else '--gpus all'}."
    if "ubuntu" in host.distribution:
        return "sudo ubuntu-drivers install && sudo reboot"
    if "debian" in host.distribution:
        return "sudo apt install nvidia-driver && sudo reboot   (from Debian's non-free component)"
    return "Install NVIDIA's driver as your distribution says, then restart."


def newer(host: Host) -> str:
    """Say how a newer driver comes onto this kind of machine: one that runs CUDA 13 (580, by CUDA's release notes)."""
    if host.wsl:
        return "Update NVIDIA's driver in Windows: 580 or newer."
    if host.container:
        return "Install NVIDIA's driver 580 or newer on the machine that this container runs on."
    if "ubuntu" in host.distribution:
        return "sudo ubuntu-drivers install nvidia:580 && sudo reboot"
    return "Install NVIDIA's driver 580 or newer as your distribution says, then restart."


def gpu(host: Host, target: Target) -> Iterator[Diagnosis]:
    """Hold the GPU's name, compute capability and memory against the target's."""
    gpus = host.machine.gpus
    for gpu in gpus:
        memory = f", {format_bytes(gpu.memory_bytes)}" if gpu.memory_bytes else ""
        capability = f", compute capability {gpu.compute_capability or 'unknown'}"
        yield Diagnosis("gpu", "good", f"{gpu.name}{capability}{memory}")
    if host.hidden:
        names = ", ".join(dict.fromkeys(gpu.name for gpu in host.hidden))
        value = host.environment.get(VISIBLE, "")
        yield Diagnosis("gpu", "good", f"{VISIBLE}={value} hides {names} from EdgeKit", f"unset {VISIBLE}")
    if not wants_gpu(target) or any(gpu.compute_capability == target.compute_capability for gpu in gpus):
        yield from _short(host, target)
        return
    wanted = f"target {target.name} wants compute capability {target.compute_capability}"
    if any(not gpu.compute_capability for gpu in gpus):
        yield Diagnosis("gpu", "unknown", f"{wanted}; this GPU does not tell its own")
    elif matching(host.hidden, target.compute_capability):
        yield Diagnosis("gpu", "bad", f"{wanted}; {VISIBLE} hides it", f"unset {VISIBLE}")
    else:
        mend = "edgekit targets   (choose one that this machine is, or write one)" if gpus else install(host)
        yield Diagnosis("gpu", "bad", f"{wanted}; {'this is another' if gpus else 'no GPU is seen'}", mend)


def _short(host: Host, target: Target) -> Iterator[Diagnosis]:
    """A GPU of the target's kind with less memory than the target has; drivers keep a few per cent for themselves."""
    sizes = [gpu.memory_bytes for gpu in host.machine.gpus if gpu.memory_bytes]
    if wants_gpu(target) and not target.unified and sizes and max(sizes) < 0.9 * target.memory_bytes:
        what = f"target {target.name} has {format_bytes(target.memory_bytes)}, this GPU {format_bytes(max(sizes))}"
        mend = "Copy the target's file, write this GPU's memory, and give its path to --target."
        yield Diagnosis("gpu", "bad", what, mend)
