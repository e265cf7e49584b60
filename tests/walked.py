"""The whole way of one checkpoint by the commands that a user gives: planned, built, checked, asked, profiled.

A plan of the checkpoint is held against what the bundle is measured to take.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.phantom import draw, scene
from edgekit.phantom.split import SEEDS
from edgekit.units import GIB, format_bytes
from tests.commands import run

WEIGHTS = ("vision", "projector", "embedding", "decoder", "lm_head")


@dataclass(frozen=True)
class Need:
    """Bytes that a walk takes of a disk that has them free, and of memory that nobody uses."""

    disk_bytes: int
    memory_bytes: int


NEEDS = {
    # 3.04 GB of checkpoint; 1.1 GB of bundle; its compiled form, originals beside it, while it is written twice. The
    # golden check of a build has 1.25 GiB of its own.
    "tinyllava-1.5b": Need(8 * GIB, 3 * GIB),
    "tiny": Need(GIB // 8, GIB // 2),
}


@dataclass(frozen=True, kw_only=True)
class Walked:
    """What the commands said, each as its JSON document. ``built`` is of a build that checked what it made."""

    planned: dict[str, Any]
    built: dict[str, Any]
    checked: dict[str, Any]
    answered: dict[str, Any]
    profiled: dict[str, Any]

    @property
    def compared(self) -> dict[str, dict[str, Any]]:
        """The profile's figures beside those of its bundle's plan, by name: planned, measured, error."""
        return {figure["name"]: figure for figure in self.profiled["planned"]}

    @property
    def unplanned(self) -> dict[str, tuple[int, int]]:
        """Weights that the plan of the checkpoint, or of its bundle, missed: the plan's bytes, and the bytes."""
        sizes = [(name, self.compared[name]["measured"]) for name in WEIGHTS]
        plans = {name: {self.planned["components"][name], self.compared[name]["planned"]} for name in WEIGHTS}
        return {name: (max(plans[name]), size) for name, size in sizes if plans[name] != {size}}

    def error(self, name: str) -> float:
        """Return how far the plan is off, as a share of what was measured; too much is above 0."""
        return float(self.compared[name]["error"])


def lacking(name: str, disk_free: int, memory_free: int) -> str:
    """Return why a model can't be walked where so many bytes are free; "" where it can."""
    need = NEEDS[name]
    for word, needed, free in (("disk", need.disk_bytes, disk_free), ("memory", need.memory_bytes, memory_free)):
        if free < needed:
            return f"{name} needs {format_bytes(needed)} of {word}, and {format_bytes(free)} are free"
    return ""


def walk(checkpoint: Path, folder: Path, *, tokens: int) -> Walked:
    """Take ``checkpoint`` the whole way by q4 for a CPU, into ``folder``; every command must end with 0.

    The budget is not what is asked, as others may be at work: ``profile`` is forced.
    """
    bundle, picture = str(folder / "bundle"), folder / "phantom.png"
    draw(scene(SEEDS["test"][0])).save(picture)
    options = ("--target", "cpu", "--recipe", "q4")
    return Walked(
        planned=run("plan", str(checkpoint), *options),
        built=run("build", str(checkpoint), *options, "--out", bundle),
        checked=run("check", bundle),
        answered=run("ask", bundle, "Is the lung clear?", "--image", str(picture), "--max-tokens", str(tokens)),
        profiled=run("profile", bundle, "--force"),
    )
