"""A bundle, a record and figures made up, for checks that need no engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edgekit.bundle import Bundle
from edgekit.check import Checked, CheckedComponent
from edgekit.check.components import ComponentFigures
from edgekit.check.golden import Golden
from edgekit.check.limits import Limit
from edgekit.check.measure import Figures
from tests.fake_engine import fake_spec
from tests.specs import manifest

FIGURES = Figures(
    sequences=2,
    positions=20,
    decided=20,
    top1=0.5,
    top1_decided=0.8,
    first_token=1.0,
    kl=0.1,
    perplexity_ratio=1.3,
    same_tokens=2,
)
PERFECT = replace(FIGURES, top1=1.0, top1_decided=1.0, kl=0.0, perplexity_ratio=1.0)
MANIFEST = manifest(spec=fake_spec(), context=96)
BUNDLE = Bundle(Path("a bundle"), MANIFEST, "d" * 64)
GOLDEN = Golden(
    format=1,
    reference="unquantized",
    engine="onnxruntime",
    pictures=(),
    kept_ids=(),
    alone=(),
    sequences=(),
)
VISION = CheckedComponent(ComponentFigures(name="vision", error=0.2), (Limit("error", 0.2, 0.1),))
DECODER = CheckedComponent(ComponentFigures(name="decoder", error=0.01, kl=0.05), (Limit("KL", 0.05, 0.1),))


def checked(*components: CheckedComponent, figures: Figures = PERFECT, limits: tuple[Limit, ...] = ()) -> Checked:
    """A check of whole answers that keep ``limits``, with the components' advice where one broke its own."""
    worst = next((component.name for component in components if not component.passed), "")
    return Checked(
        reference="unquantized",
        engine="onnxruntime 1.0",
        figures=figures,
        limits=limits,
        components=components,
        worst=worst,
        advice="Widen it." if worst else "",
    )
