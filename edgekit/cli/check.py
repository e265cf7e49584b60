"""``edgekit check``: a bundle's golden answers, given again on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli.common import common
from edgekit.cli.show.check import show_checked
from edgekit.cli.show.verify import verify, warn_unverified
from edgekit.console import Console


@click.command("check")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--processor", is_flag=True, help="Run its graphs on this machine's processor, whatever they are for.")
@click.option("--no-verify", is_flag=True, help="Don't compare every file with its hash first.")
@click.option("--force", is_flag=True, help="Don't end with an error where the answers fall short.")
@common
def command(console: Console, bundle: Path, processor: bool, no_verify: bool, force: bool) -> None:
    """Compare every file of BUNDLE with its hash, let this machine answer its golden questions, and hold the answers
    against the unquantized model's.

    The limits are those of the bundle's recipe. Where it falls short, the worst component is named.
    """
    from edgekit.bundle import open_bundle
    from edgekit.check import require_answers
    from edgekit.profile.checked import check_on_device

    opened = open_bundle(bundle)
    verified = None
    if no_verify:
        warn_unverified(console)
    else:
        verified = verify(console, opened)
    with console.progress() as progress:
        check = check_on_device(opened, verified, processor=processor, progress=progress)
    console.document(check.document())
    show_checked(console, check.checked)
    if force and not check.checked.passed:
        console.note(f"Forced: {check.checked.shortfall}")
        return
    require_answers(check.checked)
