"""``edgekit report``: pictures of profiles, the published memory figures beside ours, and engines beside each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit.cli.common import common
from edgekit.cli.show.fidelity import show_fidelity
from edgekit.console import Console
from edgekit.units import GIB

if TYPE_CHECKING:
    from edgekit.profile.record import Profile
    from edgekit.report.memory import Ours, Variant

_VARIANTS = {"fp16": "16-bit", "q8": "Q8", "q4": "Q4"}


@click.group("report")
@common
def command(console: Console) -> None:
    """Show what profiles and engines say: pictures, memory beside what was published, recipes beside each other."""


@command.command("memory")
@click.argument("sources", nargs=-1, type=click.Path(path_type=Path), metavar="[PROFILE|BUNDLE]...")
@common
def memory(console: Console, sources: Sequence[Path]) -> None:
    """Published static and dynamic memory of LLaVA-Med and TinyLLaVA beside what is planned on every target.

    Profiles of these models, or bundles that stand for their newest, add what was measured.
    """
    from edgekit.report.memory import CONTEXT, SLOTS, variants
    from edgekit.target import targets

    found = variants(targets(), [_profile(path) for path in sources])
    console.document({"slots": SLOTS, "context": CONTEXT, "variants": found})
    names = list(found[0].planned)
    rows = [
        (*head, published, *(_cell(one.planned[name], which) for name in names))
        for one in found
        for which, head, published in _lines(one)
    ]
    columns = ("GiB", "", "paper", *names)
    console.table(columns, rows, right=columns[2:])
    console.print(
        "\nPaper: El Mir, Luoga et al.; its Q8 is arithmetic, – was not published."
        f"\nOurs: planned with {SLOTS} slot of {CONTEXT} tokens. Of a card, its own memory; cpu and"
        "\norin share one memory, so there it is the whole process. ✗: doesn't fit."
    )
    _show_measured(console, found)


def _show_measured(console: Console, found: Sequence[Variant]) -> None:
    """A table for each device: its name may be long, and stands above."""
    columns = ("GiB", "", "paper", "measured", "of paper's", "highest")
    for where in sorted({where for one in found for where in one.measured}):
        rows = []
        for one in found:
            if ours := one.measured.get(where):
                for which, head, published in _lines(one):
                    highest = f"{ours.peak_bytes / GIB:.2f}" if which == "dynamic" else ""
                    rows.append((*head, published, _cell(ours, which), _ratio(ours, which), highest))
        console.heading(f"\nMeasured on {where} tokens")
        console.table(columns, rows, right=columns[2:])


def _lines(one: Variant) -> list[tuple[str, tuple[str, str], str]]:
    """The two lines of a variant: which they are of, how they begin, and what was published."""
    name = f"{one.model} {_VARIANTS[one.recipe]}"
    static, dynamic = one.published.static_bytes, one.published.dynamic_bytes
    return [("static", (name, "static"), _gib(static)), ("dynamic", ("", "dynamic"), _gib(dynamic))]


def _gib(size: int | None) -> str:
    return "–" if size is None else f"{size / GIB:.2f}"


def _cell(ours: Ours, which: str) -> str:
    size = ours.static_bytes if which == "static" else ours.dynamic_bytes
    return f"{size / GIB:.2f}{'' if ours.fits else ' ✗'}"


def _ratio(ours: Ours, which: str) -> str:
    ratio = ours.static_ratio if which == "static" else ours.dynamic_ratio
    return "–" if ratio is None else f"{100 * ratio:.0f} %"


@command.command("profile")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PROFILE|BUNDLE...")
@click.option("--out", default="report", show_default=True, type=click.Path(path_type=Path), help="Folder of pictures.")
@common
def profile(console: Console, sources: Sequence[Path], out: Path) -> None:
    """Draw memory over time for each profile, and tokens/s against rows for all of them together.

    A bundle stands for its newest profile.
    """
    from edgekit.report.pictures import memory_picture, rows_picture

    found = [_profile(path) for path in sources]
    pictures = []
    for made in found:
        picture = out / _file_name(made)
        memory_picture(made, picture)
        pictures.append(picture)
    rows_picture(found, out / "rows.png")
    pictures.append(out / "rows.png")
    console.document({"pictures": [str(picture) for picture in pictures]})
    for picture in pictures:
        console.print(str(picture))


@command.command("fidelity")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Draw a picture: PNG or SVG.")
@common
def fidelity(console: Console, bundle: Path, out: Path | None) -> None:
    """What quantizing did to BUNDLE: bytes and bits per weight of its parts, the error of every matrix, and what its
    answers kept."""
    from edgekit.bundle import open_bundle
    from edgekit.check.fidelity import read_fidelity
    from edgekit.report.fidelity import fidelity_picture

    opened = open_bundle(bundle)
    report = read_fidelity(opened)
    if out:
        fidelity_picture(report, opened.manifest.source, out)
    console.document({**vars(report), "picture": str(out) if out else None})
    show_fidelity(console, report)
    if out:
        console.print(f"\n{out}")


@command.command("engines")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="BUNDLE|REPORT...")
@common
def engines(console: Console, sources: Sequence[Path]) -> None:
    """What engines are and do, recipes beside each other: bytes, what building took, answers on the GPU, speed.

    A bundle stands for its plans, their last check and its newest profiles. A REPORT is what this prints with --json.
    """
    from edgekit.cli.show.engines import show_engines
    from edgekit.report.engines import report

    found = report(sources)
    console.document(found)
    show_engines(console, found)


def _file_name(made: Profile) -> str:
    """Of a profile's picture: another one for each profile, and none that leads out of its folder."""
    stamp = made.measured_at.replace("-", "").replace(":", "")
    words = (made.bundle.model[:100], made.bundle.recipe, made.device.fingerprint, stamp)
    return re.sub(r"[^A-Za-z0-9._-]+", "_", f"memory-{'-'.join(words)}")[:200] + ".png"


def _profile(path: Path) -> Profile:
    from edgekit.profile.store import newest

    return newest(path)
