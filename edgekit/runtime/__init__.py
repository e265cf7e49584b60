"""Runs requests on an engine: which slot, which step, which token, which text."""

from edgekit.runtime.constraint import Constraint
from edgekit.runtime.events import Event, Finished, TextDelta
from edgekit.runtime.generator import Generator
from edgekit.runtime.logprobs import Alternative, TokenLogprob
from edgekit.runtime.sampling import SamplingParams
from edgekit.runtime.sequence import Completion, Sequence

__all__ = [
    "Alternative",
    "Completion",
    "Constraint",
    "Event",
    "Finished",
    "Generator",
    "SamplingParams",
    "Sequence",
    "TextDelta",
    "TokenLogprob",
]
