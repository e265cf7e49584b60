"""What ``compile`` and ``build`` say of TensorRT's plans: for what they are, what they took, and do they answer?"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from edgekit.console import Console
from edgekit.errors import EdgeKitError
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from edgekit.bundle import Bundle
    from edgekit.check import Checked
    from edgekit.engines.compile import Compiled

_RTX = "tensorrt-rtx-cu13"  # the package of the extra rtx
COLUMNS = ("engine", "size", "time", "memory", "GPU memory", "attention fused")


def document(form: Compiled) -> dict[str, Any]:
    """As JSON has them: the lock's place, whether it is another machine's, what each took, and doubts."""
    return {"place": form.place, "ahead": form.ahead, "plans": dict(form.plans), "doubts": list(form.doubts)}


def check_document(checked: Checked | EdgeKitError | None) -> dict[str, Any] | None:
    """The check on the GPU as JSON has it; None where there was none."""
    from edgekit.cli.check import document as whole

    return None if checked is None or isinstance(checked, EdgeKitError) else whole(checked)


def show_plans(console: Console, bundle: Bundle, form: Compiled) -> None:
    """A line for each plan."""
    from edgekit.engines.tensorrt.build.doubts import attention

    layers = attention(bundle.manifest.spec)
    rows = [
        (
            name,
            format_bytes(one.bytes),
            f"{one.seconds:.1f} s",
            format_bytes(one.peak_bytes),
            "–" if one.device_peak_bytes is None else format_bytes(one.device_peak_bytes),
            f"{sum(one.fused)} of {layers[name]}" if name in layers and one.fused else "–",
        )
        for name, one in form.plans.items()
    ]
    console.table(COLUMNS, rows, right=COLUMNS[1:])


def whose(bundle: Bundle, form: Compiled) -> str:
    """For what the plans are, and where that is no GPU of this machine, what it takes to run them."""
    from edgekit.engines.tensorrt.api import TITLES

    place = form.place
    if not form.ahead:
        bound = f"driver {place.driver}" if place.driver else f"L4T {place.l4t}" if place.l4t else ""
        return ", ".join(filter(None, (f"this machine's {place.device or 'GPU'}", bound)))
    title = next((title for name, title in TITLES.items() if name == place.engine), place.engine)
    return (
        f"every {bundle.manifest.target.title} (compute capability {place.compute_capability}) with {title} "
        f"{place.version}; a device needs that very release: pip install '{_RTX}=={place.version}'"
    )


def show_check(console: Console, bundle: Bundle, form: Compiled, checked: Checked | EdgeKitError | None) -> None:
    """How the plans answered on this machine's GPU, or who has to ask them."""
    from edgekit.cli.check import line
    from edgekit.engines.place import gpu_for

    if isinstance(checked, EdgeKitError):
        console.note("The engines are built and kept, but could not be checked")
    elif checked is not None:
        console.print(f"Checked on the GPU:{line(checked).partition(':')[2]}")
    elif form.ahead:
        check_it = f"edgekit check {shlex.quote(str(bundle.path))}"
        try:
            gpu_for(bundle.manifest.target)
            console.print(f"They can't be checked here. On the device, run: {check_it}")
        except EdgeKitError as error:
            console.print(f"They can't be checked: {error.message}\n{error.hint}\nThen run: {check_it}")


def require_plans(console: Console, form: Compiled, checked: Checked | EdgeKitError | None, force: bool) -> None:
    """Raise the error of plans that could not be asked on the GPU, and :class:`~edgekit.errors.GateRefused` for answers
    that fall short; with ``force``, say so alone."""
    from edgekit.check import require_answers

    if isinstance(checked, EdgeKitError):
        if not force:
            raise checked
        console.note(f"Forced: on the GPU: {checked.message}")
        return
    if checked is None or checked.passed:
        return
    if force:
        console.note(f"Forced: on the GPU: {checked.shortfall}")
        return
    console.note(f"The engines are kept, and would be run: to do without them, remove {form.folder}")
    require_answers(checked)
