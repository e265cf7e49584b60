"""What ``compile`` and ``build`` say of an engine's plans: for what they are, what they took, and do they answer?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit.console import Console
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from edgekit.engines.compile import Compiled
    from edgekit.pipeline import Prepared

COLUMNS = ("engine", "size", "time", "memory", "GPU memory", "attention fused")


def show_prepared(console: Console, prepared: Prepared) -> None:
    """Show the compiled form: what making it took, for what it is, and how it answers."""
    form = prepared.compiled
    if form is None:
        return
    if form.plans:
        show_plans(console, prepared, form)
        console.print()
    console.print(
        f"{form.folder}: {format_bytes(form.bytes)} in {form.seconds:.1f} s, "
        f"with {format_bytes(form.peak_bytes)} of memory"
    )
    if form.plans:
        console.print(f"{title(prepared)}'s engines are built, for {purpose(prepared, form)}.")
    show_answers(console, prepared)


def show_plans(console: Console, prepared: Prepared, form: Compiled) -> None:
    """Show a line for each plan."""
    from edgekit.engines.backend import backend_for

    layers = backend_for(prepared.bundle).attention(prepared.bundle.manifest.spec)
    rows = [
        (
            name,
            format_bytes(plan.bytes),
            f"{plan.seconds:.1f} s",
            format_bytes(plan.peak_bytes),
            "–" if plan.device_peak_bytes is None else format_bytes(plan.device_peak_bytes),
            f"{sum(plan.fused)} of {layers[name]}" if name in layers and plan.fused else "–",
        )
        for name, plan in form.plans.items()
    ]
    console.table(COLUMNS, rows, right=COLUMNS[1:])


def title(prepared: Prepared) -> str:
    """Return what people call the engine that a bundle is for."""
    from edgekit.engines.backend import backend_for

    return backend_for(prepared.bundle).title


def purpose(prepared: Prepared, form: Compiled) -> str:
    """Say for what the plans are, and where that is no GPU of this machine, what it takes to run them."""
    from edgekit.engines.backend import backend_for

    place, target = form.place, prepared.bundle.manifest.target
    if not form.ahead:
        bound = f"driver {place.driver}" if place.driver else f"L4T {place.l4t}" if place.l4t else ""
        device = place.device or ("GPU" if target.kind.on_gpu else "processor")
        return ", ".join(filter(None, (f"this machine's {device}", bound)))
    backend = backend_for(prepared.bundle)
    capability = f" (compute capability {place.compute_capability})" if place.compute_capability else ""
    command = backend.installation(place)
    return (
        f"every {target.title}{capability} with {backend.runtime_title(place)} {place.version}; "
        f"a device needs that very release{command and f': {command}'}"
    )


def show_answers(console: Console, prepared: Prepared) -> None:
    """Say how the plans answered on this machine's GPU, or who has to ask them."""
    from edgekit.cli.show.check import check_line

    if prepared.unasked is not None:
        console.note("The engines are built and kept, but could not be checked")
    elif prepared.checked is not None:
        device = "GPU" if prepared.bundle.manifest.target.kind.on_gpu else "processor"
        console.print(f"Checked on the {device}:{check_line(prepared.checked).partition(':')[2]}")
    elif prepared.next_step:
        console.print(prepared.next_step)


def require_plans(console: Console, prepared: Prepared, force: bool) -> None:
    """Raise why the plans must not be relied on, where they must not; with ``force``, say so alone."""
    if (failure := prepared.failure) is None:
        return
    if force:
        device = "GPU" if prepared.bundle.manifest.target.kind.on_gpu else "processor"
        console.note(f"Forced: on the {device}: {failure.message}")
        return
    if prepared.checked and prepared.compiled:
        console.note(f"The engines are kept, and would be run: to do without them, remove {prepared.compiled.folder}")
    raise failure
