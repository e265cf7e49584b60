"""A profile as tables: beside its budget, what it took, how fast it was, and what the plan had said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit.console import Console
from edgekit.units import MIB, format_bytes, rounded

if TYPE_CHECKING:
    from edgekit.profile import Compared, JudgedProfile, Profile
    from edgekit.profile.record import Spread


def show_profile(console: Console, judged: JudgedProfile) -> None:
    """Show budget, memory, speed, the plan beside it, and how the device fared."""
    profile = judged.profile
    device = profile.device.gpu or f"{profile.device.cpu}, {profile.device.cores} cores"
    console.heading(f"{profile.bundle.model} by {profile.bundle.recipe} on {device}")
    form = "compiled" if profile.bundle.compiled else "not compiled"
    console.print(
        f"{profile.bundle.slots} slots of {profile.bundle.context} tokens; {form}; each phase in a process of its own\n"
    )
    _show_budget(console, judged)
    _show_memory(console, profile)
    _show_speed(console, judged)
    _show_plan(console, judged.compared)
    _show_condition(console, profile)


def _show_budget(console: Console, judged: JudgedProfile) -> None:
    from edgekit.profile.show import quantity

    shown = []
    for row in judged.rows:
        limit = "" if row.limit is None else f"{'≥' if row.least else '≤'} {quantity(row.limit, row.unit)}"
        mark = "" if row.limit is None else "✓" if row.passed else "✗"
        shown.append((mark, row.name, quantity(row.measured, row.unit), limit))
    console.table(("", "", "measured", f"budget of {judged.target.name}"), shown, right=("measured",))


def _show_memory(console: Console, profile: Profile) -> None:
    memory = profile.memory
    console.print()
    columns = ("memory", "static", "mean peak", "highest peak", "peaks from")
    rows = [
        (side.name, *map(format_bytes, (side.static_bytes, side.mean_peak_bytes, side.dynamic_bytes)), side.peak_source)
        for side in memory.sides
    ]
    console.table(columns, rows, right=columns[1:4])
    if memory.share_bytes:
        console.print(
            f"After loading, its share of what processes have together is {format_bytes(memory.share_bytes)}."
        )
    libraries = format_bytes(memory.library_bytes)
    console.print(f"Beside it, {libraries} of libraries' files are cached: shared, and dropped at need.")
    if memory.growth_bytes > MIB:
        console.print(f"Each further question kept {format_bytes(memory.growth_bytes)}.")


def _show_speed(console: Console, judged: JudgedProfile) -> None:
    speed = judged.profile.speed
    console.print()
    columns = ("time, ms", "median", "p95", "p99", "least", "most", "of")
    named = {
        "a picture encoded": speed.times.encode_ms,
        "first token": speed.times.first_token_ms,
        "between two tokens": speed.times.inter_token_ms,
        "second turn": speed.times.second_turn_ms,
        f"{speed.times.together} questions, one picture": speed.times.together_ms,
    }
    console.table(columns, [(name, *_spread(spread)) for name, spread in named.items()], right=columns[1:])
    console.print()
    names = ("tokens/s, all rows", "median", "least", "most", "of", "of bandwidth")
    shown = []
    for rate, share in zip(speed.rows, judged.bandwidth_shares, strict=True):
        spread = _spread(rate.tokens_per_s)
        rows = f"{rate.rows} row{'s' * (rate.rows > 1)}"
        shown.append((rows, *(spread[index] for index in (0, 3, 4, 5)), f"{100 * share:.1f} %"))
    console.table(names, shown, right=names[1:])
    cold = f", {speed.load_cold_s:.2f} s from the disk" if speed.load_cold_s is not None else ""
    console.print(f"\nOpening takes {speed.load_warm_s.median:.2f} s{cold}.")


def _spread(spread: Spread) -> tuple[str, ...]:
    values = (spread.median, spread.p95, spread.p99, spread.least, spread.most)
    return (*map(rounded, values), str(spread.count))


def _show_plan(console: Console, compared: tuple[Compared, ...]) -> None:
    console.print()
    columns = ("bytes", "planned", "measured", "error")
    rows = [
        (figure.name, format_bytes(figure.planned), format_bytes(figure.measured), f"{100 * figure.error:+.1f} %")
        for figure in compared
    ]
    console.table(columns, rows, right=columns[1:])


def _show_condition(console: Console, profile: Profile) -> None:
    """What the device said of itself at the end; nothing where it says nothing."""
    after = profile.after
    said = [
        f"mode {after.power_mode}" if after.power_mode else "",
        f"{after.power_w:.1f} W" if after.power_w is not None else "",
        f"{after.temperature_c:.0f} °C" if after.temperature_c is not None else "",
        f"throttled: {', '.join(after.throttling)}" if after.throttling else "",
    ]
    if any(said):
        console.print(f"\nAt the end: {', '.join(filter(None, said))}.")
