"""What a build made: the bundle, what was planned, checked and decided for it, and what this machine has of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit import config
from edgekit.bundle import Bundle
from edgekit.check import Checked
from edgekit.engines.backend import backend_for, compile_command
from edgekit.machine.system import architecture
from edgekit.pipeline.precision import Decided
from edgekit.pipeline.prepared import Prepared
from edgekit.plan import MemoryPlan


@dataclass(frozen=True, kw_only=True)
class Built:
    """A finished bundle.

    - ``plan``: what it was planned to take.
    - ``checked``: the golden check of its graphs, which a processor ran whatever the target.
    - ``prepared``: what this machine has compiled of it for itself, or why not.
    - ``decided``: how its precision was decided.
    - ``notes``: what was not as asked, a sentence each.
    """

    plan: MemoryPlan
    checked: Checked
    prepared: Prepared
    decided: Decided
    notes: tuple[str, ...]

    @property
    def bundle(self) -> Bundle:
        return self.prepared.bundle

    @property
    def compiled(self) -> bool:
        """Whether there is a compiled form, for this machine or ahead for a device."""
        return self.prepared.compiled is not None

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was not as asked, what the model's reading noticed, and what was forced, a sentence each."""
        manifest = self.bundle.manifest
        return (
            *self.notes,
            *(f"Note: {note}" for note in manifest.spec.notes),
            *self.prepared.doubts,
            *(f"Forced: {reason}" for reason in manifest.forced),
        )

    @property
    def hindrance(self) -> str:
        """Why no plans were built although this machine may be the device; "" where that is not so."""
        refused, target = self.prepared.refused, self.bundle.manifest.target
        if not refused or not self.prepared.needs_plans:
            return ""
        if not refused.tried and target.arch != architecture():
            return ""
        return f"{refused.why.message}\n{refused.why.hint}".rstrip()

    @property
    def next_step(self) -> str:
        """What is still to do before a device of the target answers; "" where nothing is."""
        refused, target = self.prepared.refused, self.bundle.manifest.target
        if not refused or not self.prepared.needs_plans:
            return self.prepared.next_step
        if refused.tried:
            what = "a device with that GPU" if target.kind.on_gpu else "its device"
            compile_it = compile_command(self.bundle)
            return f"The bundle is whole, but {what} does not answer without engines. Build them: {compile_it}"
        return backend_for(self.bundle).next_step(self.bundle, self.plan.building.compile_bytes)

    def document(self) -> dict[str, Any]:
        """Return what ``edgekit build --json`` writes."""
        bundle, decided, prepared = self.bundle, self.decided, self.prepared
        document: dict[str, Any] = {
            "bundle": str(bundle.path),
            "digest": bundle.digest,
            "bytes": bundle.bytes,
            "check": self.checked.document(),
            "components": self.plan.components,
            "compiled": self.compiled,
            "why": prepared.why,
            "method": bundle.manifest.recipe.method,
            "sensitivity": config.dump(decided.sensitivity),
            "wider": list(decided.choice.wider) if decided.choice else [],
            "forced": list(bundle.manifest.forced),
        }
        if prepared.compiled and prepared.compiled.plans:
            document |= prepared.compiled.plans_document()
            document["gpu_check"] = prepared.checked.document() if prepared.checked else None
        return document


@dataclass(frozen=True)
class GraphFiles:
    """Graphs without a bundle around them: each file with its bytes."""

    files: dict[Path, int]

    def document(self) -> dict[str, Any]:
        """Return the files as JSON has them."""
        return {"files": {str(path): size for path, size in self.files.items()}}
