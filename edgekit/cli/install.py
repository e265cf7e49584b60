"""``edgekit install``: from a bundle to a service on trial."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit.cli.common import common
from edgekit.cli.installing import layout_of, place_options
from edgekit.cli.show.install import show_downtime_before, show_installed, show_left_open, show_steps
from edgekit.console import Console

if TYPE_CHECKING:
    from edgekit.deploy.order import Order
    from edgekit.deploy.steps import Hands


@click.command("install")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--wheels", type=click.Path(path_type=Path), help="Take the code from this folder of wheels.")
@click.option("--dry-run", is_flag=True, help="Only show every step.")
@click.option("--force", is_flag=True, help="Go on where a gate says no. It is kept, and told by `edgekit status`.")
@click.option("--retry", is_flag=True, help="Try a release again that failed here before. Every gate still counts.")
@place_options
@common
def command(
    console: Console,
    bundle: Path,
    wheels: Path | None,
    dry_run: bool,
    force: bool,
    retry: bool,
    prefix: str | None,
    root: Path,
    user: bool,
) -> None:
    """Install BUNDLE as this machine's service, on trial: it is verified, checked and measured first, by its own code.

    What ran before runs on until then, and again where anything fails. After ten healthy minutes, or by `edgekit
    commit`, the release is committed; until then a failure goes back by itself.
    """
    from edgekit.deploy.here import hands_here, is_image, order_here, require_root
    from edgekit.deploy.install import install
    from edgekit.deploy.laptop.layout import HomeLayout
    from edgekit.deploy.laptop.order import order_home

    layout = layout_of(prefix, root, user=user)
    code = str(wheels.resolve()) if wheels else ""
    if not dry_run:
        require_root(layout)
    if isinstance(layout, HomeLayout):
        order = replace(order_home(bundle, code, layout, forced=force), retried=retry)
    else:
        order = replace(order_here(bundle, code, layout, forced=force), retried=retry)
    show_left_open(console, order)
    if dry_run:
        _show(console, order, hands_here(layout, forced=force))
        return
    with console.progress() as progress:
        hands = hands_here(layout, forced=force, progress=progress)
        show_downtime_before(console, order, hands)
        operation = install(order, hands)
    show_installed(console, hands.layout, order.release, operation, on_trial=not is_image(layout))


def _show(console: Console, order: Order, hands: Hands) -> None:
    from edgekit.deploy.install import planned
    from edgekit.deploy.steps import show

    lines = show(planned(order, hands), hands)
    console.document({"release": order.release, "steps": lines})
    show_steps(console, order.release, lines)
