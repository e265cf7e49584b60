"""``edgekit inspect``: what a checkpoint or a bundle holds, and what it may be used for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit.cli.common import common, vision_option
from edgekit.cli.show.verify import verify
from edgekit.console import Console
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from edgekit.bundle import Bundle
    from edgekit.checkpoint.inspect import Inspection
    from edgekit.engines.lock import Form


@click.command("inspect")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@vision_option
@click.option("--verify", "ask_hashes", is_flag=True, help="Of a bundle, read every file and compare its hash.")
@common
def command(console: Console, checkpoint: Path, vision: Path | None, ask_hashes: bool) -> None:
    """Show CHECKPOINT's family, parts, parameters, template, licence and intended use.

    CHECKPOINT may be a bundle, too: then its target, recipe, files, compiled forms and licence, and whether it is
    unharmed.
    """
    from edgekit.bundle import MANIFEST

    if (checkpoint / MANIFEST).exists():
        if vision:
            raise click.UsageError(f"--vision is for checkpoints, and {checkpoint} is a bundle")
        _show_bundle(console, checkpoint, ask_hashes)
    elif ask_hashes:
        raise click.UsageError(f"--verify is for bundles, and {checkpoint} is none")
    else:
        _show_checkpoint(console, checkpoint, vision)


def _show_bundle(console: Console, path: Path, ask_hashes: bool) -> None:
    from edgekit.bundle import open_bundle
    from edgekit.engines.lock import forms

    bundle = open_bundle(path)
    if ask_hashes:
        verify(console, bundle)
    _describe_bundle(console, bundle, forms(bundle), ask_hashes)


def _describe_bundle(console: Console, bundle: Bundle, compiled: Sequence[Form], verified: bool) -> None:
    from edgekit.check.verdict import verdict_of

    manifest = bundle.manifest
    spec = manifest.spec
    console.document(
        {
            "path": str(bundle.path),
            "digest": bundle.digest,
            "verified": verified,
            "compiled": [
                {
                    "folder": str(form.folder),
                    "bytes": form.bytes,
                    "place": form.lock and form.lock.place,
                    "misfit": form.misfit,
                    "check": verdict_of(form.folder),
                }
                for form in compiled
            ],
            "manifest": manifest,
        }
    )
    console.fields(
        [
            ("bundle of", f"{manifest.source} ({spec.family}), by EdgeKit {manifest.edgekit}"),
            ("target", f"{manifest.target.name} ({manifest.target.title})"),
            ("recipe", f"{manifest.recipe.name} ({manifest.recipe.title})"),
            ("context", f"{manifest.context} tokens, {spec.tokens_per_image} of them per image"),
            ("size", f"{format_bytes(bundle.bytes)} in {len(manifest.files)} files"),
            ("digest", bundle.digest),
            ("contents", "as sealed" if verified else "sizes as sealed; --verify compares every hash"),
            *[("compiled", _describe_form(form)) for form in compiled],
            *[("forced", reason) for reason in manifest.forced],
            *_notices(spec.licence, spec.intended_use, spec.notes),
        ]
    )


def _describe_form(form: Form) -> str:
    from edgekit.check.verdict import verdict_of

    if form.lock is None:
        return f"{form.folder.name}: {form.misfit}"
    place = form.lock.place
    what = f"compute capability {place.compute_capability}" if place.compute_capability else place.arch
    whose = f"not used here: {form.misfit}" if form.misfit else "for this machine"
    if (verdict := verdict_of(form.folder)) and verdict.shortfall:
        asked = verdict.place
        system = f"driver {asked.driver}" if asked.driver else f"L4T {asked.l4t}" if asked.l4t else ""
        where = ", ".join(filter(None, (asked.device, system, verdict.made[:10])))
        whose += f". On {where}: {verdict.shortfall}"
    return f"{format_bytes(form.bytes)} for {place.engine} {place.version} on {what}: {whose}"


def _show_checkpoint(console: Console, checkpoint: Path, vision: Path | None) -> None:
    from edgekit.checkpoint.inspect import inspect
    from edgekit.checkpoint.open import open_checkpoint

    found = inspect(open_checkpoint(checkpoint, vision, requantize=True))
    console.document(found)
    console.fields(_describe(found))
    console.print()
    rows = [
        (part.name, part.kind, f"{part.parameters:,}", ", ".join(part.dtypes), format_bytes(part.bytes))
        for part in found.parts
    ]
    console.table(("part", "kind", "parameters", "stored as", "bytes"), rows, right=("parameters", "bytes"))


def _describe(found: Inspection) -> list[tuple[str, str]]:
    from edgekit.checkpoint.chat.write import Spoken, write

    template = found.template
    prompt = write(template, [Spoken("QUESTION", images=1)])
    return [
        ("family", found.family),
        ("parameters", f"{found.parameters:,} in {format_bytes(found.bytes)}"),
        ("context", f"{found.context} tokens, {found.tokens_per_image} of them per image"),
        ("images", f"{found.image_size} × {found.image_size} pixels"),
        ("vocabulary", f"{found.vocab} tokens"),
        ("template", f"{template.name}: {prompt!r}"),
        *_notices(found.licence, found.intended_use, found.notes),
    ]


def _notices(licence: str, intended_use: str, notes: Sequence[str]) -> list[tuple[str, str]]:
    return [
        ("licence", licence or "none given: ask whoever published it"),
        *([("intended use", intended_use)] if intended_use else []),
        *(("note", note) for note in notes),
    ]
