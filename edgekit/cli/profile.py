"""``edgekit profile``: what a bundle takes on this machine, measured, against its target's budget and its plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgekit.cli.common import common
from edgekit.console import Console
from edgekit.units import rounded

if TYPE_CHECKING:
    from edgekit.profile.judge import Compared, Row
    from edgekit.profile.record import Profile, Spread
    from edgekit.target import Target


@click.command("profile")
@click.argument("bundle", required=False, type=click.Path(path_type=Path))
@click.option("--slots", type=click.IntRange(min=1), help="Conversations at once.  [default: the target's]")
@click.option("--force", is_flag=True, help="Don't end with an error where it breaks the budget.")
@common
def command(console: Console, bundle: Path | None, slots: int | None, force: bool) -> None:
    """Measure BUNDLE on this machine, each phase in a fresh process: memory after loading and at its peak, load time,
    first token, tokens/s. The result is kept in the bundle's 'profiles' folder.

    Without BUNDLE it is the one that `edgekit demo` leaves in build/out/demo.
    """
    from edgekit.bundle import open_bundle
    from edgekit.profile import against_plan, judge, profile, require_within
    from edgekit.target import with_site_budget

    opened = open_bundle(bundle or _demonstrated())
    target = with_site_budget(opened.manifest.target)
    with console.progress() as progress:
        made = profile(opened, slots, progress=progress)
    rows, compared = judge(made, target), against_plan(made)
    console.document(_document(made, target, rows, compared))
    _show(console, made, target, rows, compared)
    if force:
        for row in rows:
            if not row.passed:
                console.note(f"Forced: {row.name} breaks the budget of {target.name}")
        return
    require_within(made, target)


def _demonstrated() -> Path:
    from edgekit.errors import InputError

    found = sorted(Path("build/out/demo").glob("*/manifest.json"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise InputError("There is no bundle to measure", "Give one: edgekit profile BUNDLE. `edgekit demo` makes one.")
    return found[-1].parent


def _document(made: Profile, target: Target, rows: tuple[Row, ...], compared: tuple[Compared, ...]) -> dict[str, Any]:
    """A profile as JSON has it; the first four keys are fixed, scripts read them."""
    from edgekit import config
    from edgekit.profile import bandwidth_shares

    whole = config.dump(made)
    return {
        "fits": all(row.passed for row in rows),
        "static_bytes": made.static_bytes,
        "dynamic_bytes": made.dynamic_bytes,
        "components": whole.pop("components"),
        "budget": [{**config.dump(row), "passed": row.passed} for row in rows],
        "planned": [{**config.dump(one), "error": round(one.error, 4)} for one in compared],
        **{name: value for name, value in whole.items() if name not in ("planned", "moments")},
        "bandwidth_shares": [round(share, 4) for share in bandwidth_shares(made, target)],
        "fingerprint": made.device.fingerprint,
    }


def _show(
    console: Console, made: Profile, target: Target, rows: tuple[Row, ...], compared: tuple[Compared, ...]
) -> None:
    device = made.device.gpu or f"{made.device.cpu}, {made.device.cores} cores"
    console.heading(f"{made.model} by {made.recipe} on {device}")
    form = "compiled" if made.compiled else "not compiled"
    console.print(f"{made.slots} slots of {made.context} tokens; {form}; each phase in a process of its own\n")
    _show_budget(console, target, rows)
    _show_memory(console, made)
    _show_speed(console, made, target)
    _show_plan(console, compared)
    _show_condition(console, made)


def _show_budget(console: Console, target: Target, rows: tuple[Row, ...]) -> None:
    from edgekit.profile.show import quantity

    shown = []
    for row in rows:
        limit = "" if row.limit is None else f"{'≥' if row.least else '≤'} {quantity(row.limit, row.unit)}"
        mark = "" if row.limit is None else "✓" if row.passed else "✗"
        shown.append((mark, row.name, quantity(row.measured, row.unit), limit))
    console.table(("", "", "measured", f"budget of {target.name}"), shown, right=("measured",))


def _show_memory(console: Console, made: Profile) -> None:
    from edgekit.units import MIB, format_bytes

    console.print()
    columns = ("memory", "static", "mean peak", "highest peak", "peaks from")
    rows = [
        (side.name, *map(format_bytes, (side.static_bytes, side.mean_peak_bytes, side.dynamic_bytes)), side.peak_source)
        for side in made.sides
    ]
    console.table(columns, rows, right=columns[1:4])
    if made.share_bytes:
        console.print(f"After loading, its share of what processes have together is {format_bytes(made.share_bytes)}.")
    console.print(
        f"Beside it, {format_bytes(made.library_bytes)} of libraries' files are cached: shared, and dropped at need."
    )
    if made.growth_bytes > MIB:
        console.print(f"Each further question kept {format_bytes(made.growth_bytes)}.")


def _show_speed(console: Console, made: Profile, target: Target) -> None:
    from edgekit.profile import bandwidth_shares

    console.print()
    columns = ("time, ms", "median", "p95", "p99", "least", "most", "of")
    named = {
        "a picture encoded": made.times.encode_ms,
        "first token": made.times.first_token_ms,
        "between two tokens": made.times.inter_token_ms,
        "second turn": made.times.second_turn_ms,
        f"{made.times.together} questions, one picture": made.times.together_ms,
    }
    console.table(columns, [(name, *_spread(spread)) for name, spread in named.items()], right=columns[1:])
    console.print()
    names = ("tokens/s, all rows", "median", "least", "most", "of", "of bandwidth")
    shown = []
    for rate, share in zip(made.rows, bandwidth_shares(made, target), strict=True):
        spread = _spread(rate.tokens_per_s)
        rows = f"{rate.rows} row{'s' * (rate.rows > 1)}"
        shown.append((rows, *(spread[index] for index in (0, 3, 4, 5)), f"{100 * share:.1f} %"))
    console.table(names, shown, right=names[1:])
    cold = f", {made.load_cold_s:.2f} s from the disk" if made.load_cold_s is not None else ""
    console.print(f"\nOpening takes {made.load_warm_s.median:.2f} s{cold}.")


def _spread(spread: Spread) -> tuple[str, ...]:
    values = (spread.median, spread.p95, spread.p99, spread.least, spread.most)
    return (*map(rounded, values), str(spread.count))


def _show_plan(console: Console, compared: tuple[Compared, ...]) -> None:
    from edgekit.units import format_bytes

    console.print()
    columns = ("bytes", "planned", "measured", "error")
    rows = [
        (one.name, format_bytes(one.planned), format_bytes(one.measured), f"{100 * one.error:+.1f} %")
        for one in compared
    ]
    console.table(columns, rows, right=columns[1:])


def _show_condition(console: Console, made: Profile) -> None:
    """What the device said of itself at the end; nothing where it says nothing."""
    after = made.after
    said = [
        f"mode {after.power_mode}" if after.power_mode else "",
        f"{after.power_w:.1f} W" if after.power_w is not None else "",
        f"{after.temperature_c:.0f} °C" if after.temperature_c is not None else "",
        f"throttled: {', '.join(after.throttling)}" if after.throttling else "",
    ]
    if any(said):
        console.print(f"\nAt the end: {', '.join(filter(None, said))}.")
