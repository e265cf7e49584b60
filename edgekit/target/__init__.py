"""What a bundle is made for: a device, and the kind of engine that answers on it."""

from edgekit.target.device import (
    Budget,
    DetectedTarget,
    Target,
    document,
    matching_target,
    site_budget,
    target,
    targets,
    with_site_budget,
)

__all__ = [
    "Budget",
    "DetectedTarget",
    "Target",
    "document",
    "matching_target",
    "site_budget",
    "target",
    "targets",
    "with_site_budget",
]
