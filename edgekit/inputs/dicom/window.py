"""Windows (PS3.3 C.11.2.1.2 and C.11.2.1.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgekit.inputs.grey import Shades, Values, unit

if TYPE_CHECKING:
    from pydicom import Dataset


def read_window(header: Dataset) -> tuple[str, float, float] | None:
    """Function, centre and width of the first window; None where there is none, or none that can be used."""
    first = [np.ravel(header.get(keyword))[:1] for keyword in ("WindowCenter", "WindowWidth")]
    if any(value.size == 0 or value[0] is None for value in first):
        return None
    function = str(header.get("VOILUTFunction") or "LINEAR")
    centre, width = (float(value[0]) for value in first)
    usable = np.isfinite([centre, width]).all() and (width >= 1 if function == "LINEAR" else width > 0)
    return (function, centre, width) if usable else None


def through_window(values: Values, function: str, centre: float, width: float) -> Shades:
    """PS3.3 C.11.2.1.2 and C.11.2.1.3, with black at 0 and white at 1."""
    if function == "SIGMOID":
        return unit(1 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -700, 700))))
    if function == "LINEAR_EXACT":
        return unit((values - centre) / width + 0.5)
    return unit((values - (centre - 0.5)) / max(width - 1, 1e-6) + 0.5)
