"""A training of the embedded model: what it is made of, and what it had reached when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from edgekit.tune.schedule import Schedule

_FORMS = ("closed", "open", "description")


@dataclass(frozen=True, kw_only=True)
class Curriculum:
    """What a run is made of; the defaults made the model that is shipped."""

    seed: int = 1
    pictures: int = 40_000
    validation: int = 300
    questions: int = 5
    tower: Schedule = field(default_factory=lambda: Schedule(steps=4000, batch=32, rate=1e-3))
    answers: Schedule = field(default_factory=lambda: Schedule(steps=2500, batch=32, rate=1e-3))


@dataclass(frozen=True, kw_only=True)
class Training:
    """A training is a curriculum that was run.

    * ``curriculum``: what it was made of
    * ``seconds``: how long it took, with so many ``threads`` of a processor of such ``arch``
    * ``versions``: the libraries' that it was run with
    * ``curve``: a point for every time that was measured: ``stage``, ``step``, ``seconds``, ``loss``, what was reached
    """

    curriculum: Curriculum
    seconds: int
    arch: str
    threads: int
    versions: Mapping[str, str]
    curve: tuple[Mapping[str, float | str], ...]

    @property
    def reached(self) -> dict[str, float]:
        """The shares of the validation split's questions that it answers to the letter at the end, by their form."""
        return {form: float(self.curve[-1][form]) for form in _FORMS}

    def document(self) -> dict[str, Any]:
        """Return what ``training.json`` beside the weights says, and ``edgekit tune embedded --json`` writes."""
        return {
            "plan": asdict(self.curriculum),
            "seconds": self.seconds,
            "machine": {"machine": self.arch, "threads": self.threads},
            "versions": dict(self.versions),
            "curve": [dict(point) for point in self.curve],
        }
