"""What the commands about an installation share: where it lies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from edgekit.deploy.layout import Layout


def place_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--prefix`` and ``--root``."""
    prefix = click.option("--prefix", default="/opt/edgekit", show_default=True, help="The folder of its releases.")
    folder = click.Path(path_type=Path, exists=True, file_okay=False)
    root = click.option("--root", default="/", type=folder, help="The tree of another system, an image's say.")
    return prefix(root(function))


def layout_of(prefix: str, root: Path) -> Layout:
    """Return where an installation lies; :class:`~edgekit.errors.ConfigError` for a prefix that can't be one."""
    from edgekit.deploy.layout import Layout

    return Layout(root, PurePosixPath(prefix))
