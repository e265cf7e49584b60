"""The fidelity report of a bundle, ``fidelity.json`` beside its weights: what quantizing did, and what answers kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgekit.bundle import Bundle
from edgekit.check.cache import CacheLoss
from edgekit.check.check import Checked
from edgekit.check.components import Measured
from edgekit.check.measure import Figures
from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.config import load_json
from edgekit.config.writing import write_json
from edgekit.errors import BundleError, ConfigError
from edgekit.quantize.calibrate import Calibrated
from edgekit.quantize.fidelity import Linear, Part, linears, parts
from edgekit.quantize.tower import Tower
from edgekit.recipe import Recipe

FIDELITY = "fidelity.json"
FORMAT = 1


@dataclass(frozen=True)
class Fidelity:
    """``linears``: every matrix; ``parts``: the components' bytes; ``components`` and ``figures``: the check's, as it
    was at the build; ``tower``: what its Linears read, where examples were looked at; ``cache``: what keys and values
    in int8 take, where they are."""

    format: int
    recipe: str
    method: str
    linears: tuple[Linear, ...]
    parts: tuple[Part, ...]
    components: tuple[Measured, ...]
    figures: Figures
    tower: Tower | None = None
    cache: CacheLoss | None = None


def fidelity(
    source: Checkpoint, made: Calibrated, checked: Checked, recipe: Recipe, cache: CacheLoss | None
) -> Fidelity:
    """Put together for a bundle of ``made``, which ``source`` was quantized to by ``recipe``."""
    found = linears(source, made.checkpoint, made.errors)
    components = tuple(one.measured for one in checked.components)
    sizes, figures = parts(found, source), checked.figures
    return Fidelity(FORMAT, recipe.name, recipe.method, found, sizes, components, figures, made.tower, cache)


def write_fidelity(folder: Path, report: Fidelity) -> None:
    """Write it into a bundle that is not sealed yet."""
    write_json(folder / FIDELITY, report, "lines")


def read_fidelity(bundle: Bundle) -> Fidelity:
    """A bundle's report; :class:`BundleError` where it has none, or a damaged one."""
    file = bundle.file(FIDELITY)
    try:
        return load_json(file, Fidelity, FORMAT)
    except ConfigError as error:
        raise BundleError(error.message, "Copy or build the bundle again.") from error
