"""A bundle at a glance: its manifest, and every compiled form of it with what the golden check said of that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit import config
from edgekit.bundle import Bundle
from edgekit.bundle.forced import ForcedGate, forced_at_install
from edgekit.check.verdict import Verdict, verdict_of
from edgekit.engines.lock import Form, forms


@dataclass(frozen=True)
class InspectedForm:
    """A compiled form, and the verdict beside it; None where its engines were never asked."""

    form: Form
    verdict: Verdict | None

    def document(self) -> dict[str, Any]:
        """Return a form as JSON has it."""
        form = self.form
        return {
            "folder": str(form.folder),
            "bytes": form.bytes,
            "place": config.dump(form.lock and form.lock.place),
            "misfit": form.misfit,
            "check": config.dump(self.verdict),
        }


@dataclass(frozen=True)
class BundleInspection:
    """A bundle, its compiled forms, the newest last, whether every file was compared with its hash, and what was forced
    when it was installed."""

    bundle: Bundle
    forms: tuple[InspectedForm, ...]
    verified: bool
    forced: tuple[ForcedGate, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return what ``edgekit inspect BUNDLE --json`` writes."""
        return {
            "path": str(self.bundle.path),
            "digest": self.bundle.digest,
            "verified": self.verified,
            "compiled": [form.document() for form in self.forms],
            "manifest": config.dump(self.bundle.manifest),
            "forced_at_install": config.dump(self.forced),
        }


def inspect_bundle(bundle: Bundle, verified: bool = False) -> BundleInspection:
    """Look at every compiled form of ``bundle``; :class:`OSError` as of the disk, and
    :class:`~edgekit.errors.ConfigError` where what was forced can't be read."""
    inspected = tuple(InspectedForm(form, verdict_of(form.folder)) for form in forms(bundle))
    return BundleInspection(bundle, inspected, verified, forced_at_install(bundle))
