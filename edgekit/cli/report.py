"""``edgekit report``: pictures of profiles, the published memory figures beside ours, and engines beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from edgekit.cli.common import common
from edgekit.cli.show.engines import show_engines
from edgekit.cli.show.fidelity import show_fidelity
from edgekit.cli.show.published import show_published
from edgekit.console import Console


@click.group("report")
@common
def command(console: Console) -> None:
    """Show what profiles and engines say: pictures, memory beside what was published, recipes beside each other."""


@command.command("memory")
@click.argument("sources", nargs=-1, type=click.Path(path_type=Path), metavar="[PROFILE|BUNDLE]...")
@common
def memory(console: Console, sources: Sequence[Path]) -> None:
    """Show published static and dynamic memory of LLaVA-Med and TinyLLaVA beside what is planned on every target.

    Profiles of these models, or bundles that stand for their newest, add what was measured.
    """
    from edgekit.profile.store import newest
    from edgekit.report.memory import memory_report
    from edgekit.target import targets

    report = memory_report(targets(), [newest(path) for path in sources])
    console.document(report.document())
    show_published(console, report)


@command.command("profile")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PROFILE|BUNDLE...")
@click.option("--out", default="report", show_default=True, type=click.Path(path_type=Path), help="Folder of pictures.")
@common
def profile(console: Console, sources: Sequence[Path], out: Path) -> None:
    """Draw memory over time for each profile, and tokens/s against rows for all of them together.

    A bundle stands for its newest profile.
    """
    from edgekit.profile.store import newest
    from edgekit.report.pictures import draw

    drawn = draw([newest(path) for path in sources], out)
    console.document(drawn.document())
    for picture in drawn.pictures:
        console.print(str(picture))


@command.command("fidelity")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Draw a picture: PNG or SVG.")
@common
def fidelity(console: Console, bundle: Path, out: Path | None) -> None:
    """Show what quantizing did to BUNDLE: bytes and bits per weight of its parts, the error of every matrix, and what
    its answers kept."""
    from edgekit.bundle import open_bundle
    from edgekit.report.fidelity import fidelity_report

    report = fidelity_report(open_bundle(bundle), out)
    console.document(report.document())
    show_fidelity(console, report.fidelity)
    if out:
        console.print(f"\n{out}")


@command.command("engines")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="BUNDLE|REPORT...")
@common
def engines(console: Console, sources: Sequence[Path]) -> None:
    """Show what engines are and do, recipes beside each other: bytes, what building took, answers on the GPU, speed.

    A bundle stands for its plans, their last check and its newest profiles. A REPORT is what this prints with --json.
    """
    from edgekit.report.engines import report

    runs = report(sources)
    console.document(runs.document())
    show_engines(console, runs)
