"""``edgekit phantoms``: synthetic radiographs with questions and right answers, as a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit.cli.common import common
from edgekit.console import Console
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from edgekit.phantom.folder import Layout
    from edgekit.phantom.split import Split


@click.command("phantoms")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--form", default="llava", show_default=True, type=click.Choice(["llava", "vqa-rad", "dicom"]))
@click.option("--split", default="test", show_default=True, type=click.Choice(["train", "validation", "test"]))
@click.option("--count", default=400, show_default=True, type=click.IntRange(min=1), help="How many phantoms.")
@common
def command(console: Console, directory: Path, form: Layout, split: Split, count: int) -> None:
    """Write phantom radiographs with questions and right answers to a new folder DIR.

    A phantom is drawn, not taken: nothing of a patient is in it. The same options write the same files.
    """
    from edgekit.phantom.folder import write_folder

    with console.progress() as progress:
        folder = write_folder(directory, form, split, count, progress)
    console.document(folder.document())
    console.fields(
        [
            ("folder", str(folder.path)),
            ("phantoms", f"{folder.phantoms} of {folder.split}"),
            ("questions", str(folder.questions)),
            ("size", format_bytes(folder.bytes)),
        ]
    )
