"""Targets as tables, one in full, and the machine that is like one."""

from __future__ import annotations

from collections.abc import Sequence

from edgekit.console import Console
from edgekit.machine.detect import Machine
from edgekit.target import Target
from edgekit.units import format_bytes


def list_targets(console: Console, shipped: Sequence[Target]) -> None:
    """Show a line for each target."""
    rows = [
        (t.name, t.title, _memory(t), _bandwidth(t), t.compute_capability, f"{t.slots} × {t.context}", t.engine)
        for t in shipped
    ]
    columns = ("target", "device", "memory", "bandwidth", "compute", "slots", "engine")
    console.table(columns, rows, right=("memory", "bandwidth"))


def show_target(console: Console, chosen: Target) -> None:
    """Show everything of a target, its budget last."""
    console.fields(_describe(chosen))


def _describe(chosen: Target) -> list[tuple[str, str]]:
    budget = chosen.budget
    return [
        ("target", chosen.name),
        ("device", chosen.title),
        ("architecture", chosen.arch),
        ("compute capability", chosen.compute_capability or "no GPU"),
        ("memory", f"{_memory(chosen)}{' (shared by CPU and GPU)' if chosen.unified else ''}"),
        ("reserved", format_bytes(chosen.reserved_bytes)),
        ("bandwidth", _bandwidth(chosen)),
        ("engine", chosen.engine),
        ("activations", chosen.activations),
        ("slots", f"{chosen.slots} of {chosen.context} tokens"),
        ("container", chosen.container),
        ("static budget", format_bytes(budget.static_bytes) if budget.static_bytes is not None else "no limit"),
        ("dynamic budget", format_bytes(budget.dynamic_bytes) if budget.dynamic_bytes is not None else "no limit"),
        ("memory budget", format_bytes(budget.memory_bytes) if budget.memory_bytes is not None else "no limit"),
        ("disk budget", format_bytes(budget.disk_bytes) if budget.disk_bytes is not None else "no limit"),
        ("first token", f"{budget.first_token_ms:g} ms" if budget.first_token_ms is not None else "no limit"),
        ("speed", f"{budget.tokens_per_s:g} tokens/s" if budget.tokens_per_s is not None else "no limit"),
        ("load time", f"{budget.load_s:g} s" if budget.load_s is not None else "no limit"),
    ]


def show_machine(console: Console, machine: Machine, like: Target) -> None:
    """Show a machine, and the target that it is like."""
    pairs = [
        ("system", f"{machine.system}, {machine.arch}"),
        ("processor", f"{machine.cpu}, {machine.cores} cores"),
        ("instructions", " ".join(machine.features) or "unknown"),
        ("memory", format_bytes(machine.memory_bytes)),
    ]
    if machine.jetson:
        pairs.append(("Jetson", f"{machine.jetson}, L4T {machine.l4t or 'unknown'}"))
    for gpu in machine.gpus:
        memory = f", {format_bytes(gpu.memory_bytes)}" if gpu.memory_bytes else ""
        capability = f", compute capability {gpu.compute_capability}" if gpu.compute_capability else ""
        pairs.append(("GPU", f"{gpu.name}{memory}{capability}"))
    console.fields([*pairs, ("target", f"{like.name} ({like.title})")])
    if any(not gpu.compute_capability for gpu in machine.gpus):
        console.note("More about the GPU takes NVIDIA's management library: pip install nvidia-ml-py")


def _memory(chosen: Target) -> str:
    return format_bytes(chosen.memory_bytes) if chosen.memory_bytes else "what it has"


def _bandwidth(chosen: Target) -> str:
    return f"{chosen.bandwidth / 1e9:g} GB/s"
