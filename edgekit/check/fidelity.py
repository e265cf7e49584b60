"""The fidelity report of a bundle, ``fidelity.json`` beside its weights: what quantizing did, and what answers kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgekit.bundle import Bundle
from edgekit.check.cache import CacheLoss
from edgekit.check.checked import Checked
from edgekit.check.components import ComponentFigures
from edgekit.check.measure import Figures
from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.config import load_json
from edgekit.config.writing import write_json
from edgekit.errors import BundleError, ConfigError
from edgekit.quantize.calibrate import Calibrated
from edgekit.quantize.linears import ComponentWeights, Linear, linears, parts
from edgekit.quantize.tower import TowerInputs
from edgekit.recipe import Recipe

FIDELITY = "fidelity.json"
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Fidelity:
    """What a recipe did to a model, and what its answers kept.

    * ``format`` of the file; ``recipe`` by its name, and the ``method`` that it was done by
    * ``linears``: every matrix; ``parts``: the components' bytes
    * ``components`` and ``figures``: the check's, as it was at the build
    * ``tower``: what its Linears read, where examples were looked at
    * ``cache``: what keys and values in int8 take, where they are
    """

    format: int
    recipe: str
    method: str
    linears: tuple[Linear, ...]
    parts: tuple[ComponentWeights, ...]
    components: tuple[ComponentFigures, ...]
    figures: Figures
    tower: TowerInputs | None = None
    cache: CacheLoss | None = None


def fidelity(
    source: Checkpoint, calibrated: Calibrated, checked: Checked, recipe: Recipe, cache: CacheLoss | None
) -> Fidelity:
    """Put the report together for a bundle of ``calibrated``, which ``source`` was quantized to by ``recipe``."""
    matrices = linears(source, calibrated.checkpoint, calibrated.errors)
    components = tuple(component.measured for component in checked.components)
    return Fidelity(
        format=FORMAT,
        recipe=recipe.name,
        method=recipe.method,
        linears=matrices,
        parts=parts(matrices, source),
        components=components,
        figures=checked.figures,
        tower=calibrated.tower,
        cache=cache,
    )


def write_fidelity(folder: Path, report: Fidelity) -> None:
    """Write it into a bundle that is not sealed yet."""
    write_json(folder / FIDELITY, report, "lines")


def read_fidelity(bundle: Bundle) -> Fidelity:
    """Read a bundle's report; :class:`BundleError` where it has none, or a damaged one."""
    file = bundle.file(FIDELITY)
    remedy = "Copy or build the bundle again."
    try:
        report = load_json(file, Fidelity, FORMAT)
    except ConfigError as error:
        raise BundleError(error.message, remedy) from error
    if any(part.weights < 1 for part in report.parts):
        raise BundleError(f"{file}: a component of no weights", remedy)
    return report
