"""The published accuracies: the rows of the paper's Tables I and II, as ``literature.toml`` has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from edgekit import config
from edgekit.report.published import MODELS, Published

Group = Literal["baseline", "supervised", "zero-shot", "literature"]
_FILE = Path(__file__).with_name("literature.toml")


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """A row of Table I: ``figures`` by "SET open" and "SET closed", in percent, those that were published.

    ``memory``: the variant whose memory was published, "MODEL RECIPE"; None where none was.
    """

    model: str
    group: Group
    figures: dict[str, float]
    memory: str | None = None

    @property
    def published(self) -> Published:
        """Its memory, as far as that was published."""
        return _memories().get(self.memory or "", Published())


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A row of Table II: ``figures`` by type and domain, in percent of the reference's."""

    model: str
    figures: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Literature:
    """Both tables, and where they were published."""

    source: str
    accuracy: tuple[Accuracy, ...] = field(default=())
    judged: tuple[Judged, ...] = field(default=())


@cache
def literature() -> Literature:
    """Return what was published."""
    return config.load_toml(_FILE, Literature)


@cache
def _memories() -> dict[str, Published]:
    return {f"{model.title} {recipe}": published for model in MODELS for recipe, published in model.variants.items()}
