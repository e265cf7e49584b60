"""A bundle or a checkpoint at a glance, a line for each thing that people ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgekit.console import Console
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from edgekit.check.inspect import BundleInspection, InspectedForm
    from edgekit.checkpoint.inspect import Inspection


def show_bundle(console: Console, inspection: BundleInspection) -> None:
    """Show what a bundle is of and for, its compiled forms, and what it may be used for."""
    bundle, manifest = inspection.bundle, inspection.bundle.manifest
    spec = manifest.spec
    console.fields(
        [
            ("bundle of", f"{manifest.source} ({spec.family}), by EdgeKit {manifest.edgekit}"),
            ("target", f"{manifest.target.name} ({manifest.target.title})"),
            ("recipe", f"{manifest.recipe.name} ({manifest.recipe.title})"),
            ("context", f"{manifest.context} tokens, {spec.tokens_per_image} of them per image"),
            ("size", f"{format_bytes(bundle.bytes)} in {len(manifest.files)} files"),
            ("digest", bundle.digest),
            ("contents", "as sealed" if inspection.verified else "sizes as sealed; --verify compares every hash"),
            *[("compiled", _form(form)) for form in inspection.forms],
            *[("forced", reason) for reason in manifest.forced],
            *[("forced", gate.text) for gate in inspection.forced],
            *_notices(spec.licence, spec.intended_use, spec.notes),
        ]
    )


def _form(inspected: InspectedForm) -> str:
    form, verdict = inspected.form, inspected.verdict
    if form.lock is None:
        return f"{form.folder.name}: {form.misfit}"
    place = form.lock.place
    machine = f"compute capability {place.compute_capability}" if place.compute_capability else place.arch
    use = f"not used here: {form.misfit}" if form.misfit else "for this machine"
    if verdict and verdict.shortfall:
        asked = verdict.place
        system = f"driver {asked.driver}" if asked.driver else f"L4T {asked.l4t}" if asked.l4t else ""
        use += f". On {', '.join(filter(None, (asked.device, system, verdict.checked_at[:10])))}: {verdict.shortfall}"
    return f"{format_bytes(form.bytes)} for {place.engine} {place.version} on {machine}: {use}"


def show_checkpoint(console: Console, inspection: Inspection) -> None:
    """Show what a checkpoint is, what it may be used for, and its parts."""
    console.fields(_describe(inspection))
    console.print()
    rows = [
        (part.name, part.kind, f"{part.parameters:,}", ", ".join(part.dtypes), format_bytes(part.bytes))
        for part in inspection.parts
    ]
    console.table(("part", "kind", "parameters", "stored as", "bytes"), rows, right=("parameters", "bytes"))


def _describe(inspection: Inspection) -> list[tuple[str, str]]:
    from edgekit.checkpoint.chat.write import Spoken, write

    template = inspection.template
    prompt = write(template, [Spoken("QUESTION", images=1)])
    return [
        ("family", inspection.family),
        ("parameters", f"{inspection.parameters:,} in {format_bytes(inspection.bytes)}"),
        ("context", f"{inspection.context} tokens, {inspection.tokens_per_image} of them per image"),
        ("images", f"{inspection.image_size} × {inspection.image_size} pixels"),
        ("vocabulary", f"{inspection.vocab} tokens"),
        ("template", f"{template.name}: {prompt!r}"),
        *_notices(inspection.licence, inspection.intended_use, inspection.notes),
    ]


def _notices(licence: str, intended_use: str, notes: Sequence[str]) -> list[tuple[str, str]]:
    return [
        ("licence", licence or "none given: ask whoever published it"),
        *([("intended use", intended_use)] if intended_use else []),
        *(("note", note) for note in notes),
    ]
