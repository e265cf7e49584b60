"""What was compiled of a bundle, held against what was planned for it."""

from __future__ import annotations

from collections.abc import Mapping

from edgekit.bundle import Bundle
from edgekit.engines.backend import PlanRecord, backend_for
from edgekit.plan.planning import as_built, plan


def doubts(bundle: Bundle, records: Mapping[str, PlanRecord]) -> tuple[str, ...]:
    """Give a sentence for each thing that is not as it should be with a bundle's plans."""
    planned = plan(bundle, *as_built(bundle)).components
    return backend_for(bundle).doubts(bundle, records, planned)
