"""``edgekit feedback``: what doctors said of answers, for training."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli.common import common
from edgekit.cli.show.feedback import show_exported
from edgekit.console import Console
from edgekit.errors import MissingExtra


@click.group("feedback")
@common
def command(console: Console) -> None:
    """Take what doctors said of answers out of what is kept. This needs: pip install 'edgekit[serve]'."""


@command.command("export")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@common
def export_command(console: Console, folder: Path) -> None:
    """Write every answer that was judged to the new folder DIR, with its picture, in LLaVA's form.

    Names, times and conversations' ids stand in none; questions and answers are as somebody wrote them: read them
    before they leave the hospital.
    """
    try:
        from edgekit.ward.corrections import export_feedback
        from edgekit.ward.users import ward_here
    except ModuleNotFoundError as error:
        raise MissingExtra("What is kept of answers", "serve") from error
    with ward_here() as here:
        exported = export_feedback(here.ward, here.audit, here.who, folder)
    console.document(exported)
    show_exported(console, exported)
