"""Where the program `edgekit` begins: the console script, and ``python -m edgekit``. Its process is its own, which that
of a program that calls :func:`~edgekit.cli.main.main` is not."""

from __future__ import annotations

import os
import sys

from edgekit.cli.commands import ON_GPU
from edgekit.cli.main import main


def start() -> int:
    """Run the command line that this process was started with, and return its exit code."""
    words = sys.argv[1:]
    if "CUDA_VISIBLE_DEVICES" in os.environ and _computes(words):
        _count_gpus_as_nvidia_smi()
    return main(words)


def _computes(words: list[str]) -> bool:
    """Say whether a command line is to compute on a GPU where there is one."""
    command = next((word for word in words if not word.startswith("-")), "")  # no option before it takes a value
    return command in ON_GPU and not {"-h", "--help"}.intersection(words)


def _count_gpus_as_nvidia_smi() -> None:
    """Start this process anew where the user chose among several GPUs by number: CUDA reads how they count from the
    environment that a process begins with."""
    from edgekit.machine.gpus import counted_by_slot  # hardly ever needed

    order = counted_by_slot()
    if not order or not sys.executable:
        return
    from edgekit.machine.nvml import several_gpus

    if several_gpus():
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | order)
