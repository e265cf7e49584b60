"""What a check said: each figure beside its limit, what fell short, and what to try."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from edgekit import config
from edgekit.check.components import ComponentFigures
from edgekit.check.limits import Limit
from edgekit.check.measure import UNUSABLE, Figures
from edgekit.errors import GateRefused


@dataclass(frozen=True)
class CheckedComponent:
    """A component with its limits; ``fault`` is wrong whatever they say."""

    measured: ComponentFigures
    limits: tuple[Limit, ...]

    @property
    def name(self) -> str:
        return self.measured.name

    @property
    def passed(self) -> bool:
        return not self.measured.fault and all(limit.passed for limit in self.limits)

    @property
    def badness(self) -> float:
        """How near its limits it is: above 1 it broke one."""
        return UNUSABLE if self.measured.fault else max(limit.badness for limit in self.limits)

    def document(self) -> dict[str, Any]:
        """Return the component as JSON has it."""
        limits = [limit.document() for limit in self.limits]
        return {**config.dump(self.measured), "passed": self.passed, "limits": limits}


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A bundle's answers beside its golden record.

    - ``reference``: what they are held against, ``engine``: what gave the answers at the build
      (:class:`~edgekit.check.golden.Golden`).
    - ``figures`` and ``limits`` are of whole answers, ``components`` of each part alone.
    - ``worst``: the component that broke its limits most; "" where all kept theirs.
    - ``advice``: what to try; "" where the check was passed.
    - ``stood_in``: a processor ran the graphs in place of the GPU that they are for.
    """

    reference: str
    engine: str
    figures: Figures
    limits: tuple[Limit, ...]
    components: tuple[CheckedComponent, ...]
    worst: str
    advice: str
    stood_in: bool = False

    @property
    def passed(self) -> bool:
        return all(limit.passed for limit in self.limits) and all(component.passed for component in self.components)

    @property
    def very_tokens(self) -> bool:
        """Whether the engine here gives the very tokens that the engine gave that built the bundle."""
        return self.figures.same_tokens == self.figures.sequences

    @property
    def shortfall(self) -> str:
        """What fell short, in one sentence; "" where nothing did."""
        parts = list(self._shortfalls())
        named = f"; the worst component: {self.worst}" if self.worst else ""
        return f"The answers fall short of the reference's: {', '.join(parts)}{named}" if parts else ""

    @property
    def beside(self) -> str:
        """What the answers are held against, in words."""
        return "unquantized model" if self.reference == "unquantized" else "checkpoint as it is stored"

    def document(self) -> dict[str, Any]:
        """Return the check as JSON has it; the first four keys are fixed, scripts read them."""
        return {
            "passed": self.passed,
            "worst": self.worst,
            "very_tokens": self.very_tokens,
            "figures": config.dump(self.figures),
            "limits": [limit.document() for limit in self.limits],
            "components": [component.document() for component in self.components],
            "reference": self.reference,
            "engine": self.engine,
            "stood_in": self.stood_in,
            "advice": self.advice,
        }

    def _shortfalls(self) -> Iterator[str]:
        yield from (limit.text for limit in self.limits if not limit.passed)
        for component in self.components:
            if component.measured.fault:
                yield f"{component.name}: {component.measured.fault}"
            yield from (f"{component.name}: {limit.text}" for limit in component.limits if not limit.passed)


def require_answers(checked: Checked) -> None:
    """Raise :class:`GateRefused` where a bundle's answers fell short: what, the worst component, and what to try."""
    if not checked.passed:
        raise GateRefused(checked.shortfall, checked.advice)
