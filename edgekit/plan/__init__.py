"""What a model takes on a device before anything is built, whether it fits, and what would."""

from edgekit.plan.advice import Option, advice, require_fit
from edgekit.plan.advised import AdvisedPlan, advised_plan
from edgekit.plan.components import Component, weight_bytes
from edgekit.plan.matrix import Matrix, matrix
from edgekit.plan.memory import MemoryPlan, Side
from edgekit.plan.planning import as_built, plan

__all__ = [
    "AdvisedPlan",
    "Component",
    "Matrix",
    "MemoryPlan",
    "Option",
    "Side",
    "advice",
    "advised_plan",
    "as_built",
    "matrix",
    "plan",
    "require_fit",
    "weight_bytes",
]
