"""How a plan is shown: tables with bars of each component's share of a memory, no wider than 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit.cli.show.bars import bar
from edgekit.console import Console
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from edgekit.plan import Component, MemoryPlan, Side

_NAMES = {
    "vision": "vision tower",
    "kv_arena": "KV arena",
    "beside_weights": "beside weights",
    "engine_device": "GPU workspace",
    "engine_host": "engine",
    "vision_activations": "vision scratch",
    "decoder_activations": "decoder scratch",
    "image_buffers": "image buffers",
    "pictures": "pictures kept",
}
_WHEN = {"static": "from loading on", "dynamic": "while answering", "service": "over time"}


def show_plan(console: Console, planned: MemoryPlan, asked_context: int | None = None) -> None:
    """Show memory, disk and the peak of making it, and on stderr what breaks the target's budget.

    ``asked_context``: tokens that somebody asked for; a note says where the model holds fewer.
    """
    context = planned.target.context
    if asked_context and context < asked_context:
        console.note(f"The model was made for less context than {asked_context} tokens: planned with {context}.")
    show_memory(console, planned)
    show_disk(console, planned)
    for warning in planned.over_budget:
        console.note(f"Over budget: {warning}")


def show_memory(console: Console, planned: MemoryPlan) -> None:
    """Show one table per side, and whether it fits."""
    target = planned.target
    console.heading(f"{planned.model} by {planned.recipe} for {target.name} ({target.title})")
    slots = f"{target.slots} slot{'s' * (target.slots > 1)} of {target.context} tokens"
    console.print(f"{slots}; beside each number, how it was found.")
    for side in planned.sides:
        console.print()
        _show_side(console, side)
    console.print(f"\n{verdict(planned)}")


def verdict(planned: MemoryPlan) -> str:
    """Return one line: fits, or doesn't, and by how much."""
    side = planned.sides[0]
    if planned.fits:
        return f"Fits: {format_bytes(side.free_bytes)} of {format_bytes(side.available_bytes)} to spare."
    return f"Doesn't fit: {format_bytes(-side.free_bytes)} too much for {format_bytes(side.available_bytes)}."


def _show_side(console: Console, side: Side) -> None:
    whole = max(side.memory_bytes, side.reserved_bytes + side.needed_bytes)
    rows, at = [], 0
    if side.reserved_bytes:
        rows.append(("reserved", "", format_bytes(side.reserved_bytes), "", bar(0, side.reserved_bytes, whole)))
        at = side.reserved_bytes
    for part in sorted(side.parts, key=lambda part: list(_WHEN).index(part.when)):
        rows.append((*_cells(part), bar(at, part.bytes, whole)))
        at += part.bytes
    rows.append(("", "", "", "", ""))
    for name, size in (
        ("after loading", side.static_bytes),
        ("answering", side.dynamic_bytes),
        ("over time", side.needed_bytes),
    ):
        rows.append((name, "", format_bytes(size), "", bar(side.reserved_bytes, size, whole)))
    of = f"of {format_bytes(whole)}" if side.memory_bytes else "its size is not known"
    console.table((side.name, "form", "bytes", "how", of), rows, right=("bytes",))


def _cells(part: Component) -> tuple[str, str, str, str]:
    return _NAMES.get(part.name, part.name), part.form, format_bytes(part.bytes), part.basis


def show_disk(console: Console, planned: MemoryPlan) -> None:
    """Show disk, and the peak of building and compiling."""
    disk, building = planned.disk, planned.building
    about = "" if disk.exact else "about "
    pairs = [
        ("checkpoint", format_bytes(disk.checkpoint_bytes)) if disk.checkpoint_bytes else None,
        ("bundle", f"{about}{format_bytes(disk.bundle_bytes)}, and as much as one file to carry"),
        ("compiled form", f"about {format_bytes(disk.engines_bytes)}") if disk.engines_bytes else None,
        ("disk of the device", f"{about}{format_bytes(disk.device_bytes)}: two releases side by side, and a pack"),
        ("building takes", f"about {format_bytes(building.build_bytes)} of memory with {building.cores} processors"),
        ("compiling takes", f"about {format_bytes(building.compile_bytes)} on the device")
        if building.compile_bytes
        else None,
    ]
    console.print()
    console.fields([pair for pair in pairs if pair])
