"""A bundle's fidelity as a picture: the relative error of every matrix over its layers. PNG or SVG, by the name."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit import config
from edgekit.bundle import Bundle
from edgekit.check.fidelity import Fidelity, read_fidelity
from edgekit.checkpoint.checkpoint import component, layer_of
from edgekit.quantize.linears import Linear
from edgekit.report.pictures import LINES, drawing

_LEAST = 1e-6
"""What is drawn where nothing was lost: the scale is logarithmic."""


@dataclass(frozen=True)
class FidelityReport:
    """A bundle's fidelity, and the picture that was drawn of it, where one was."""

    fidelity: Fidelity
    picture: Path | None

    def document(self) -> dict[str, Any]:
        """Return what ``edgekit report fidelity --json`` writes."""
        return {**config.dump(self.fidelity), "picture": str(self.picture) if self.picture else None}


def fidelity_report(bundle: Bundle, picture: Path | None = None) -> FidelityReport:
    """Report what quantizing did to ``bundle``, and draw it to ``picture``.

    :class:`~edgekit.errors.BundleError` where the bundle has no such record; errors as of :func:`fidelity_picture`.
    """
    fidelity = read_fidelity(bundle)
    if picture:
        fidelity_picture(fidelity, bundle.manifest.source, picture)
    return FidelityReport(fidelity, picture)


def fidelity_picture(report: Fidelity, name: str, out: Path) -> None:
    """Draw a line for each kind of matrix of the decoder over its layers, and one for the tower's mean.

    :class:`~edgekit.errors.MissingExtra` without matplotlib; :class:`~edgekit.errors.EdgeKitError` where ``out`` can't
    be written.
    """
    lines = series(report.linears)
    with drawing(out) as (figure, axes):
        for index, (kind, points) in enumerate(lines.items()):
            marker = "os^Dv<>*"[index % 8]
            layers, errors = zip(*points, strict=True)
            axes.plot(layers, errors, marker=marker, color=LINES[index % len(LINES)], label=kind, linewidth=1)
        axes.set_yscale("log")
        for ticks in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
            ticks(lambda value, place: f"{value:g}")
        axes.set_xlabel("layer")
        of = "outputs" if any(matrix.of == "outputs" for matrix in report.linears) else "weights"
        axes.set_ylabel(f"relative error of {of}")
        axes.set_title(f"Fidelity of {name} by {report.recipe} ({report.method})", fontsize=11, loc="left")
        figure.legend(loc="outside lower center", ncols=4, frameon=False)


def series(matrices: tuple[Linear, ...]) -> dict[str, list[tuple[int, float]]]:
    """Gather errors over layers: "attn.q", "mlp.up", … of the decoder, and "vision", the mean of a layer's matrices."""
    lines: dict[str, list[tuple[int, float]]] = defaultdict(list)
    tower: dict[int, list[float]] = defaultdict(list)
    for matrix in matrices:
        layer = layer_of(matrix.name)
        if layer is None:
            continue
        if component(matrix.name) == "vision":
            tower[layer].append(matrix.error)
        else:
            kind = matrix.name.split(".", 3)[3].removesuffix(".weight")
            lines[kind].append((layer, max(_LEAST, matrix.error)))
    if tower:
        lines["vision"] = [(layer, max(_LEAST, sum(errors) / len(errors))) for layer, errors in sorted(tower.items())]
    return dict(lines)
