"""How far a profile is from its plan, whatever libraries happen to be cached."""

from __future__ import annotations

from edgekit.profile import Profile, against_plan
from edgekit.units import MIB

LIBRARIES = 45 * MIB
"""Pages of Python's and the runtime's files among what plans call process and engine, as the profiles had them that
plans were fitted to. How many are in memory varies: in a
fresh environment the unadjusted error was 14.7 % for the embedded model and 5.5 % for SmolLM2 by q8."""


def missed(made: Profile, name: str) -> float:
    """By which share a plan misses "static" or "dynamic" memory, were as many pages of libraries there as planned."""
    (one,) = [found for found in against_plan(made) if found.name == name]
    measured = one.measured - made.library_bytes + LIBRARIES
    return abs(one.planned - measured) / measured
