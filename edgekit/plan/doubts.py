"""What was compiled of a bundle, held against what was planned for it."""

from __future__ import annotations

from collections.abc import Mapping

from edgekit.bundle import Bundle
from edgekit.engines.tensorrt.build import doubts as of_plans
from edgekit.engines.tensorrt.build.plans import Record
from edgekit.plan.planning import as_built, plan


def doubts(bundle: Bundle, records: Mapping[str, Record]) -> tuple[str, ...]:
    """Give a sentence for each thing that is not as it should be with a bundle's plans."""
    planned = plan(bundle, *as_built(bundle)).components
    return of_plans.doubts(bundle.path / "graphs", bundle.manifest.spec, records, planned)
