"""What a check finds: good, bad or unknown, in a line, with the command that mends it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from edgekit import config
from edgekit.errors import gist

State = Literal["good", "bad", "unknown"]
_WORST_FIRST = {"bad": 0, "unknown": 1, "good": 2}


@dataclass(frozen=True)
class Diagnosis:
    """A diagnosis says ``what`` is so of ``subject``; ``mend`` is a command, or what to do where no command does it.

    "unknown" where a source can't be read. A good diagnosis with a ``mend`` can be made better.
    """

    subject: str
    state: State
    what: str
    mend: str = ""


@dataclass(frozen=True)
class Report:
    """A report is all diagnoses of a machine, for ``target``: subjects in a fixed order, the worst of each first."""

    target: str
    detected: str
    diagnoses: tuple[Diagnosis, ...]

    @property
    def healthy(self) -> bool:
        """Whether nothing is bad."""
        return not self.of("bad")

    def document(self) -> dict[str, Any]:
        """Return a report as JSON has it."""
        return {
            "target": self.target,
            "detected": self.detected,
            "healthy": self.healthy,
            "findings": config.dump(self.diagnoses),
        }

    def of(self, state: State) -> list[Diagnosis]:
        return [diagnosis for diagnosis in self.diagnoses if diagnosis.state == state]


def worst_first(diagnoses: list[Diagnosis]) -> Iterator[Diagnosis]:
    """Yield one subject's diagnoses, the worst first."""
    yield from sorted(diagnoses, key=lambda diagnosis: _WORST_FIRST[diagnosis.state])


def said(text: str) -> str:
    """Return a program's last line, for people: its reason without the way there."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return gist(lines[-1], 200) if lines else "it says nothing"
