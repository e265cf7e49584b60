"""``edgekit profile``: what a bundle takes on this machine, measured, against its target's budget and its plan."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli.common import common
from edgekit.cli.show.profile import show_profile
from edgekit.console import Console


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
    from edgekit.profile import JudgedProfile, profile, require_within
    from edgekit.target import with_site_budget

    opened = open_bundle(bundle or _demonstrated())
    target = with_site_budget(opened.manifest.target)
    with console.progress() as progress:
        judged = JudgedProfile(profile(opened, slots, progress=progress), target)
    console.document(judged.document())
    show_profile(console, judged)
    if force:
        for row in judged.broken:
            console.note(f"Forced: {row.name} breaks the budget of {target.name}")
        return
    require_within(judged.profile, target)


def _demonstrated() -> Path:
    from edgekit.errors import InputError

    manifests = sorted(Path("build/out/demo").glob("*/manifest.json"), key=lambda path: path.stat().st_mtime)
    if not manifests:
        raise InputError("There is no bundle to measure", "Give one: edgekit profile BUNDLE. `edgekit demo` makes one.")
    return manifests[-1].parent
