"""``edgekit report``: pictures of profiles, and the published memory figures beside ours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit.cli.common import common
from edgekit.console import Console
from edgekit.units import GIB

if TYPE_CHECKING:
    from edgekit.profile.record import Profile
    from edgekit.report.memory import Ours, Variant

_VARIANTS = {"fp16": "16-bit", "q8": "Q8", "q4": "Q4"}


@click.group("report")
@common
def command(console: Console) -> None:
    """Show what profiles say: pictures, and memory beside what was published."""


@command.command("memory")
@click.argument("sources", nargs=-1, type=click.Path(path_type=Path), metavar="[PROFILE|BUNDLE]...")
@common
def memory(console: Console, sources: Sequence[Path]) -> None:
    """Published static and dynamic memory of LLaVA-Med and TinyLLaVA beside what is planned on every target.

    Profiles of these models, or bundles that stand for their newest, add what was measured.
    """
    from edgekit.report.memory import CONTEXT, SLOTS, variants
    from edgekit.target import targets

    devices = targets()
    found = variants(devices, [_profile(path) for path in sources])
    console.document({"slots": SLOTS, "context": CONTEXT, "variants": found})
    names = [target.name for target in devices]
    columns = ("static/dynamic, GiB", "published", *names)
    rows = [
        (f"{one.model} {_VARIANTS[one.recipe]}", _pair(one), *(_ours(one.planned[name]) for name in names))
        for one in found
    ]
    console.table(columns, rows, right=columns[1:])
    console.print(
        f"\nPlanned with {SLOTS} slot of {CONTEXT} tokens. Of a card, its own memory; cpu and orin share one memory, so"
        "\nthere it is the whole process. ✗: does not fit. –: not published."
    )
    _show_measured(console, found)


def _show_measured(console: Console, found: Sequence[Variant]) -> None:
    rows = [
        (f"{one.model} {_VARIANTS[one.recipe]}", _pair(one), _ours(ours), f"{ours.peak_bytes / GIB:.2f}", where)
        for one in found
        for where, ours in one.measured.items()
    ]
    if rows:
        console.print()
        columns = ("measured, GiB", "published", "ours", "highest", "on")
        console.table(columns, rows, right=columns[1:4])


def _pair(one: Variant) -> str:
    static, dynamic = one.published.static_bytes, one.published.dynamic_bytes
    if static is None:
        return "–"
    return f"{static / GIB:.2f}/{f'{dynamic / GIB:.2f}' if dynamic is not None else '–'}"


def _ours(ours: Ours) -> str:
    return f"{ours.static_bytes / GIB:.2f}/{ours.dynamic_bytes / GIB:.2f}{'' if ours.fits else ' ✗'}"


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
        picture = out / f"memory-{made.model}-{made.recipe}-{made.device.fingerprint}.png"
        memory_picture(made, picture)
        pictures.append(picture)
    rows_picture(found, out / "rows.png")
    pictures.append(out / "rows.png")
    console.document({"pictures": [str(picture) for picture in pictures]})
    for picture in pictures:
        console.print(str(picture))


def _profile(path: Path) -> Profile:
    from edgekit.profile.store import newest

    return newest(path)
