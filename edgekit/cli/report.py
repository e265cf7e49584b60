"""``edgekit report``: pictures of profiles, the published memory figures beside ours, and engines beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from edgekit.cli.common import common
from edgekit.cli.show.chosen import show_choice
from edgekit.cli.show.engines import show_engines
from edgekit.cli.show.fidelity import show_fidelity
from edgekit.cli.show.published import show_published
from edgekit.console import Console
from edgekit.units import parse_bytes


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


@command.command("paper")
@click.argument("sources", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE|FOLDER]...")
@click.option("--out", default="report", show_default=True, type=click.Path(path_type=Path), help="Folder of it all.")
@common
def paper(console: Console, sources: Sequence[Path], out: Path) -> None:
    """Write the paper's tables and figures, with ours beside them: Markdown, CSV, pictures, and one page with all.

    FILEs are what evaluate, plan and profile wrote with --json. What none of them says is shown as missing.
    """
    from edgekit.report.paper.measured import read_measured
    from edgekit.report.paper.write import write_paper

    report = write_paper(read_measured(sources), out)
    console.document(report.document())
    for file in report.files:
        console.print(str(file))


@command.command("choose")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE|FOLDER...")
@click.option("--memory", required=True, metavar="SIZE", help='What the device has for it while it answers: "6 GiB".')
@click.option("--disk", metavar="SIZE", help="What it has on disk.")
@click.option("--first-token", "first_token_ms", type=click.FloatRange(0, min_open=True), metavar="MS", help="At most.")
@common
def choose(
    console: Console, sources: Sequence[Path], memory: str, disk: str | None, first_token_ms: float | None
) -> None:
    """Name the most accurate bundle that fits a device, and what is given up by taking it.

    FILEs are what evaluate, plan and profile wrote with --json. Exit 3 where none fits.
    """
    from edgekit.report.choose import Limits
    from edgekit.report.choose import choose as chosen
    from edgekit.report.paper.measured import read_measured

    limits = Limits(
        memory_bytes=parse_bytes(memory),
        disk_bytes=None if disk is None else parse_bytes(disk),
        first_token_ms=first_token_ms,
    )
    choice = chosen(read_measured(sources), limits)
    console.document(choice.document())
    show_choice(console, choice)
