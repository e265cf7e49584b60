"""Processors that this machine is not, emulated: QEMU's user mode runs Python on them, with the packages that it needs.

``qemu -L FOLDER`` looks for every file in FOLDER first. So an emulated process sees a /proc/cpuinfo that fits what it
runs on, and not the host's, and an arm64 Debian lies beside it without being mounted anywhere.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import onnxruntime
import pytest

import edgekit

_ROOT = Path(edgekit.__file__).parents[1]
_PYTHON = "3.11"  # of Debian bookworm


@dataclass(frozen=True)
class Processor:
    """One that QEMU calls ``model``; ``cpuinfo``: what Linux tells of it. ``features`` are those that EdgeKit sees."""

    arch: str
    model: str
    cpuinfo: str
    features: tuple[str, ...]
    saturates: bool


HASWELL = Processor(
    "x86_64",
    "Haswell",
    "processor\t: 0\nmodel name\t: Intel Core Processor (Haswell)\nflags\t\t: fpu sse2 avx f16c avx2 fma\n",
    ("avx", "avx2", "fma", "f16c"),
    saturates=True,
)
# The nearest that QEMU 7.2 has to an Orin's Cortex-A78AE.
CORTEX_A76 = Processor(
    "aarch64",
    "cortex-a76",
    "processor\t: 0\nFeatures\t: fp asimd atomics fphp asimdhp asimdrdm asimddp\nCPU implementer\t: 0x41\n"
    "CPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0b\nCPU revision\t: 1\n",
    ("asimd", "asimdhp", "asimddp"),
    saturates=False,
)


@dataclass(frozen=True)
class Python:
    """A Python on some processor: what its command begins with, and the folders of its packages."""

    command: tuple[str, ...]
    packages: tuple[Path, ...]

    def run(self, *arguments: str, timeout: float, status: int = 0) -> str:
        """Run it to its end, which is to be ``status``; what it wrote to stdout. Fails with what it wrote to stderr."""
        environ = os.environ | {
            "PYTHONPATH": os.pathsep.join(map(str, (*self.packages, _ROOT))),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        done = subprocess.run([*self.command, *arguments], capture_output=True, text=True, env=environ, timeout=timeout)
        assert done.returncode == status, done.stderr[-2000:]
        return done.stdout


def python_on(processor: Processor, folder: Path) -> Python:
    """Python on an emulated processor; ``folder`` is to hold what it needs. Fails where a tool is missing."""
    bare = bare_python_on(processor, folder)
    return replace(bare, packages=(_wheels(folder / "wheels"),)) if processor.arch == "aarch64" else bare


def bare_python_on(processor: Processor, folder: Path) -> Python:
    """The same without packages, where the processor is another than this machine's: as a device has it."""
    tree, interpreter = folder / "tree", sys.executable
    if processor.arch == "aarch64":
        _debian(tree)
        interpreter = str(tree / f"usr/bin/python{_PYTHON}")
    elif platform.machine() != processor.arch:
        pytest.skip(f"this machine has no {processor.arch} packages to run")
    (tree / "proc").mkdir(parents=True, exist_ok=True)
    (tree / "proc/cpuinfo").write_text(processor.cpuinfo)
    command = (_tool(f"qemu-{processor.arch}-static"), "-cpu", processor.model, "-L", str(tree), interpreter)
    return Python(command, ())


def _debian(tree: Path) -> None:
    command = [_tool("mmdebstrap"), "--quiet", "--variant=extract", "--architectures=arm64"]
    _install([*command, "--include=python3,libstdc++6", "bookworm", str(tree)])


def _wheels(folder: Path) -> Path:
    needed = [line for line in importlib.metadata.requires("edgekit") or [] if "extra ==" not in line]
    platforms = [f"--platform=manylinux_{version}_aarch64" for version in ("2_28", "2_17")]
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--target",
        str(folder),
    ]
    command += [*platforms, "--platform=manylinux2014_aarch64", f"--python-version={_PYTHON}", "--only-binary=:all:"]
    _install([*command, *needed, f"onnxruntime=={onnxruntime.__version__}"])
    return folder


def _install(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def _tool(name: str) -> str:
    path = shutil.which(name)
    assert path, f"{name} is missing: `make test-system` installs it, as root, with .ci/apt"
    return path
