"""What the commands about an installation share: where it lies."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from edgekit.deploy.layout import Layout


def place_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--prefix``, ``--root`` and ``--user``."""
    prefix = click.option(
        "--prefix", help="The folder of its releases.  [default: that of the installation here, else /opt/edgekit]"
    )
    folder = click.Path(path_type=Path, exists=True, file_okay=False)
    root = click.option("--root", default="/", type=folder, help="The tree of another system, an image's say.")
    user = click.option("--user", is_flag=True, help="Your own service, without root, for this machine alone.")
    return prefix(root(user(function)))


def layout_of(prefix: str | None, root: Path, *, user: bool = False) -> Layout:
    """Return where an installation lies: as it is said, else where its units say; with ``user``, in this user's home.

    Of a user's own, this process and its children are told the folders of the site and of what is kept.
    :class:`~edgekit.errors.ConfigError` for a prefix that can't be one, and where an installation has another one:
    there is one unit, and so one installation.
    """
    from edgekit.deploy.layout import PREFIX, Layout, installed_prefix
    from edgekit.errors import ConfigError

    if user:
        from edgekit.deploy.laptop.layout import home_layout

        if prefix is not None or root != Path("/"):
            raise click.UsageError("--user lies in your home: leave out --prefix and --root")
        own = home_layout()
        os.environ.update(own.folders)
        return own
    here = installed_prefix(root)
    if prefix is None:
        return Layout(root, here or PREFIX)
    layout = Layout(root, PurePosixPath(prefix))
    if here is not None and here != layout.prefix:
        message = f"This machine's installation lies in {here}, and not in {layout.prefix}"
        raise ConfigError(message, f"Leave out --prefix; to move it, run first: edgekit uninstall --prefix {here}")
    return layout
