"""Pictures of profiles: memory over time, and tokens per second against rows. PNG or SVG, by the file's name.

The same profiles make the same file, byte for byte; in an SVG, text stays text.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit.errors import InputError, MissingExtra
from edgekit.files import write_bytes, writing
from edgekit.profile.record import Profile
from edgekit.units import GIB, MIB, format_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# After Okabe and Ito, and Tol: colours that can be told apart with every kind of sight. Lines differ in dashes, too.
_OWN, _MAPPED, _GPU, _MEASURED, _PLANNED = "#0072B2", "#A6D5F2", "#D55E00", "#222222", "#AA3377"
LINES = (_OWN, _GPU, "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_STYLE: Any = {  # matplotlib's types differ from release to release
    "font.size": 10,
    "svg.fonttype": "none",
    "svg.hashsalt": "edgekit",
    "text.parse_math": False,  # a "$" in a model's name is a "$"
}
_NEAR = 0.04  # of the width: names that begin nearer to each other would overlap
_LONGEST = 60  # letters of a name: a longer one would leave no place for the picture
_WIDE = 10  # from the slowest to the fastest: more than a linear scale can show


@dataclass(frozen=True)
class Pictures:
    """Picture files, in the order in which they were drawn."""

    pictures: tuple[Path, ...]

    def document(self) -> dict[str, Any]:
        """Return the files as JSON has them."""
        return {"pictures": [str(picture) for picture in self.pictures]}


def draw(profiles: Sequence[Profile], out: Path) -> Pictures:
    """Draw each profile's memory, and the speed of all together, to files in the folder ``out``.

    Errors as of :func:`memory_picture`.
    """
    pictures = [out / _file_name(profile) for profile in profiles]
    for profile, picture in zip(profiles, pictures, strict=True):
        memory_picture(profile, picture)
    rows = out / "rows.png"
    rows_picture(profiles, rows)
    return Pictures((*pictures, rows))


def _file_name(profile: Profile) -> str:
    """Of a profile's picture: another one for each profile, and none that leads out of its folder."""
    stamp = profile.measured_at.replace("-", "").replace(":", "")
    words = (profile.bundle.model[:100], profile.bundle.recipe, profile.device.fingerprint, stamp)
    return re.sub(r"[^A-Za-z0-9._-]+", "_", f"memory-{'-'.join(words)}")[:200] + ".png"


def memory_picture(profile: Profile, out: Path) -> None:
    """Draw own and mapped memory over the run, its phases named, with static and peak figures as measured and as
    planned.

    :class:`MissingExtra` without matplotlib; :class:`~edgekit.errors.EdgeKitError` where ``out`` can't be written.
    """
    with drawing(out) as (figure, axes):
        unit, name = (GIB, "GiB") if profile.dynamic_bytes > 2 * GIB else (MIB, "MiB")
        seconds = [moment.seconds for moment in profile.memory.moments]
        own = [moment.own_bytes / unit for moment in profile.memory.moments]
        mapped = [moment.mapped_bytes / unit for moment in profile.memory.moments]
        device = [moment.device_bytes / unit for moment in profile.memory.moments]
        axes.stackplot(seconds, own, mapped, colors=[_OWN, _MAPPED], labels=["the process's own", "mapped files"])
        if any(device):
            axes.plot(seconds, device, color=_GPU, linewidth=2, label="on the GPU")
        limits = (
            ("static", profile.static_bytes, _MEASURED, ":"),
            ("planned static", profile.planned.static_bytes, _PLANNED, "-."),
            ("peak", profile.dynamic_bytes, _MEASURED, "-"),
            ("planned peak", profile.planned.dynamic_bytes, _PLANNED, "--"),
        )
        for label, size, color, style in limits:
            text = f"{label}, {format_bytes(size)}"
            axes.axhline(size / unit, color=color, linestyle=style, linewidth=1.3, label=text)
        highest = [low + high for low, high in zip(own, mapped, strict=True)]
        axes.set_ylim(0, 1.06 * max([1.0, *(size / unit for _, size, _, _ in limits), *device, *highest]))
        axes.set_xlim(0, max(seconds, default=1.0) or 1.0)
        _name_phases(axes, profile)
        axes.set_xlabel("seconds")
        axes.set_ylabel(f"memory, {name}")
        measured = f"{_device(profile)}, {profile.measured_at[:10]}"
        title = f"Memory of {_short(profile.bundle.model)} by {profile.bundle.recipe}\n{measured}"
        axes.set_title(title, fontsize=11, loc="left")
        figure.legend(loc="outside lower center", ncols=3, frameon=False)


def _name_phases(axes: Axes, profile: Profile) -> None:
    """A line where each phase begins, and its name above the picture; the names of short ones share a place."""
    near = _NEAR * (profile.memory.moments[-1].seconds if profile.memory.moments else 0)
    named: list[tuple[float, str]] = []
    for phase, group in groupby(profile.memory.moments, key=lambda moment: moment.phase):
        start = next(group).seconds
        axes.axvline(start, color=_MEASURED, linewidth=0.6, alpha=0.5)
        if named and start - named[-1][0] < near:
            named[-1] = (named[-1][0], f"{named[-1][1]}, {phase}")
        else:
            named.append((start, phase))
    above = axes.secondary_xaxis("top")
    above.set_xticks([start for start, _ in named], [text for _, text in named])
    above.tick_params(length=3, labelsize=9)
    above.spines["top"].set_visible(False)
    for label in above.get_xticklabels():
        label.set(rotation=35, ha="left", va="bottom", rotation_mode="anchor")


def rows_picture(profiles: Sequence[Profile], out: Path) -> None:
    """Draw tokens per second of all rows together against how many there are, a line for each profile; bars from the
    least to the most that was measured. Errors as of :func:`memory_picture`."""
    with drawing(out) as (figure, axes):
        for index, (profile, label) in enumerate(zip(profiles, _labels(profiles), strict=True)):
            rows = [rate.rows for rate in profile.speed.rows]
            median = [rate.tokens_per_s.median for rate in profile.speed.rows]
            below = [rate.tokens_per_s.median - rate.tokens_per_s.least for rate in profile.speed.rows]
            above = [rate.tokens_per_s.most - rate.tokens_per_s.median for rate in profile.speed.rows]
            color, marker = LINES[index % len(LINES)], "os^Dv"[index % 5]
            axes.errorbar(rows, median, yerr=[below, above], marker=marker, capsize=4, color=color, label=label)
        most = max((rate.rows for profile in profiles for rate in profile.speed.rows), default=1)
        axes.set_xticks(range(1, most + 1))
        axes.set_xlim(0.5, most + 0.5)
        speeds = [rate.tokens_per_s.median for profile in profiles for rate in profile.speed.rows]
        if min(speeds, default=0) > 0 and max(speeds) > _WIDE * min(speeds):
            axes.set_yscale("log")
        else:
            axes.set_ylim(bottom=0)
        axes.set_xlabel("rows that decode together")
        axes.set_ylabel("tokens/s, all rows")
        devices = list(dict.fromkeys(map(_device, profiles)))
        axes.set_title(f"Speed on {devices[0]}" if len(devices) == 1 else "Speed", fontsize=11, loc="left")
        figure.legend(loc="outside lower center", ncols=1 if len(devices) > 1 else 2, frameon=False)


def _labels(profiles: Sequence[Profile]) -> list[str]:
    """Model and recipe of each; its device where there are several; and what else it takes to tell them apart."""
    labels = [f"{_short(profile.bundle.model)}, {profile.bundle.recipe}" for profile in profiles]
    devices = [_device(profile) for profile in profiles]
    if len(set(devices)) > 1:
        labels = [f"{label}, {device}" for label, device in zip(labels, devices, strict=True)]
    for more in (
        [f"{profile.bundle.slots} × {profile.bundle.context} tokens" for profile in profiles],
        [profile.measured_at for profile in profiles],
    ):
        longer = [f"{label}, {said}" for label, said in zip(labels, more, strict=True)]
        if len(set(longer)) > len(set(labels)):
            labels = longer
    return labels


def _device(profile: Profile) -> str:
    return _short(profile.device.name)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


@contextmanager
def drawing(out: Path) -> Iterator[tuple[Figure, Axes]]:
    """Give a figure to draw on, which becomes ``out`` at the end; no state of matplotlib's own changes."""
    kind = out.suffix.lower().lstrip(".")
    if kind not in ("png", "svg"):
        raise InputError(f"{out} is no picture that can be drawn", "Let its name end in .png or .svg.")
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ModuleNotFoundError as missing:
        raise MissingExtra("A picture", "report") from missing
    data = io.BytesIO()
    with rc_context(_STYLE):
        figure = Figure(figsize=(8, 4.8), layout="constrained")
        axes = figure.subplots()
        axes.spines[["top", "right"]].set_visible(False)
        yield figure, axes
        figure.savefig(data, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else {})
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(out, data.getvalue())
