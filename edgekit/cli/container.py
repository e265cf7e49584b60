"""``edgekit container``: what an image of a bundle is built from."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli.common import common
from edgekit.cli.show.container import show_context
from edgekit.console import Console
from edgekit.errors import ConfigError


@click.command("container")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--target", "target_name", metavar="T", help="A target's name or TOML.  [default: the bundle's]")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where the folder is to be.")
@click.option("--base", metavar="IMAGE", help="The image to build on: NAME:TAG@sha256:DIGEST.")
@click.option("--unpinned", is_flag=True, help="Take a base without a digest: a tag may be another image tomorrow.")
@click.option("--wheels", type=click.Path(path_type=Path), help="Take the code from this folder of wheels.")
@common
def command(
    console: Console,
    bundle: Path,
    target_name: str | None,
    out: Path,
    base: str | None,
    unpinned: bool,
    wheels: Path | None,
) -> None:
    """Write the build context of a container's image that serves BUNDLE: Dockerfile, compose.yaml, wheels, bundle.

    Every file of the bundle is compared with its hash. What comes of it needs no network to be built; the commands for
    Docker and podman stand in its README.md.
    """
    from edgekit.bundle import open_bundle
    from edgekit.deploy.container.base import read_base
    from edgekit.deploy.container.context import write_context
    from edgekit.deploy.container.families import families_for
    from edgekit.target import target

    opened = open_bundle(bundle)
    device = target(target_name) if target_name else opened.manifest.target
    if base is None:
        named = " or ".join(dict.fromkeys(family.base for family in families_for(device).values()))
        hint = f"For {device.name}, --base {named}, with @sha256: and its digest: docs/containers.md says how."
        raise ConfigError("Which image to build on has to be said", hint)
    ground = read_base(base, unpinned=unpinned)
    with console.progress() as progress:
        context = write_context(opened, device, ground, out, wheels, progress)
    console.document(context.document())
    show_context(console, context)
