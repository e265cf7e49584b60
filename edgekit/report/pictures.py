"""Pictures of profiles: memory over time, and tokens per second against rows. PNG or SVG, by the file's name."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.errors import MissingExtra
from edgekit.files import write_bytes, writing
from edgekit.profile.record import Profile
from edgekit.units import GIB, MIB, format_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which can be told apart with every kind of sight.
_OWN, _MAPPED, _GPU, _LIMIT = "#0072B2", "#56B4E9", "#D55E00", "#555555"
_NEAR = 0.025  # of the width
_WIDE = 10  # from the slowest to the fastest: more than a linear scale can show


def memory_picture(made: Profile, out: Path) -> None:
    """Own and mapped memory over the run, its phases named, with the static figure, the peak and what was planned.

    :class:`MissingExtra` without matplotlib; :class:`~edgekit.errors.EdgeKitError` where ``out`` can't be written.
    """
    figure = _figure()
    axes = figure.subplots()
    unit, name = (GIB, "GiB") if made.dynamic_bytes > 2 * GIB else (MIB, "MiB")
    seconds = [moment.seconds for moment in made.moments]
    own = [moment.own_bytes / unit for moment in made.moments]
    mapped = [moment.mapped_bytes / unit for moment in made.moments]
    device = [moment.device_bytes / unit for moment in made.moments]
    axes.stackplot(seconds, own, mapped, colors=[_OWN, _MAPPED], labels=["the process's own", "mapped files"])
    if any(device):
        axes.plot(seconds, device, color=_GPU, label="on the GPU")
    for label, size, style in (
        ("static", made.static_bytes, ":"),
        ("peak", made.dynamic_bytes, "-"),
        ("planned peak", made.planned_dynamic_bytes, "--"),
    ):
        text = f"{label}, {format_bytes(size)}"
        axes.axhline(size / unit, color=_LIMIT, linestyle=style, linewidth=1, label=text)
    top = 1.45 * max([made.dynamic_bytes / unit, made.planned_dynamic_bytes / unit, *device])
    axes.set_ylim(0, top)
    axes.set_xlim(0, max(seconds, default=1.0) or 1.0)
    _name_phases(axes, made, top)
    axes.set_xlabel("seconds")
    axes.set_ylabel(f"memory, {name}")
    _title(axes, made, "Memory")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    _write(figure, out)


def _name_phases(axes: Axes, made: Profile, top: float) -> None:
    """A line where each phase begins, and its name along it; the names of short ones share a place."""
    near = _NEAR * (made.moments[-1].seconds if made.moments else 0)
    named: list[tuple[float, str]] = []
    for phase, group in groupby(made.moments, key=lambda moment: moment.phase):
        start = next(group).seconds
        axes.axvline(start, color="white", linewidth=1)
        if named and start - named[-1][0] < near:
            named[-1] = (named[-1][0], f"{named[-1][1]}, {phase}")
        else:
            named.append((start, phase))
    for start, text in named:
        axes.text(start, top * 0.99, f" {text}", rotation=90, ha="left", va="top", fontsize=8, color=_LIMIT)


def rows_picture(profiles: Sequence[Profile], out: Path) -> None:
    """Tokens per second of all rows together against how many there are, a line for each profile; bars from the least
    to the most that was measured. Errors as of :func:`memory_picture`."""
    figure = _figure()
    axes = figure.subplots()
    for made, color in zip(profiles, _colors(len(profiles)), strict=True):
        rows = [rate.rows for rate in made.rows]
        median = [rate.tokens_per_s.median for rate in made.rows]
        below = [rate.tokens_per_s.median - rate.tokens_per_s.least for rate in made.rows]
        above = [rate.tokens_per_s.most - rate.tokens_per_s.median for rate in made.rows]
        label = f"{made.model}, {made.recipe}"
        axes.errorbar(rows, median, yerr=[below, above], marker="o", capsize=4, color=color, label=label)
    most = max((rate.rows for made in profiles for rate in made.rows), default=1)
    axes.set_xticks(range(1, most + 1))
    axes.set_xlim(0.5, most + 0.5)
    speeds = [rate.tokens_per_s.median for made in profiles for rate in made.rows]
    if min(speeds, default=0) > 0 and max(speeds) > _WIDE * min(speeds):
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.set_xlabel("rows that decode together")
    axes.set_ylabel("tokens/s, all rows")
    axes.set_title(f"Speed on {' and '.join(dict.fromkeys(map(_device, profiles)))}", fontsize=11, loc="left")
    _plain(axes)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    _write(figure, out)


def _colors(count: int) -> list[str]:
    every = [_OWN, _GPU, "#009E73", "#CC79A7", "#E69F00", _MAPPED]
    return [every[index % len(every)] for index in range(count)]


def _figure() -> Figure:
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ModuleNotFoundError as missing:
        raise MissingExtra("A picture", "report") from missing
    with rc_context({"font.size": 10}):
        return Figure(figsize=(8, 4.8), layout="constrained")


def _title(axes: Axes, made: Profile, what: str) -> None:
    where = f"{_device(made)}, {made.made[:10]}"
    axes.set_title(f"{what} of {made.model} by {made.recipe}\n{where}", fontsize=11, loc="left")
    _plain(axes)


def _device(made: Profile) -> str:
    return made.device.gpu or made.device.cpu


def _plain(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _write(figure: Figure, out: Path) -> None:
    from matplotlib import rc_context

    data = io.BytesIO()
    with rc_context({"svg.fonttype": "none"}):  # text stays text
        figure.savefig(data, format=out.suffix.lstrip(".") or "png", dpi=150)
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(out, data.getvalue())
