"""The modality's part of the grayscale pipeline: a look-up table, or slope and intercept (PS3.3 C.11.1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from edgekit.inputs.dicom.header import Unusable, items, numbers, optional, title
from edgekit.inputs.dicom.lut import Table, read_table
from edgekit.inputs.grey import Values

if TYPE_CHECKING:
    from pydicom import Dataset


@dataclass(frozen=True)
class Rescale:
    """Stored values → slope × value + intercept."""

    slope: float
    intercept: float

    def __call__(self, values: Values) -> Values:
        return np.asarray(values, np.float64) * self.slope + self.intercept


Modality: TypeAlias = Table | Rescale


def read_modality(header: Dataset, words: str, notes: list[str]) -> Modality | None:
    """Read the first of table and rescale that can be used; None without either. What can't be used is noted."""
    table = optional("The modality LUT", partial(_table, header, words, notes), notes)
    return table or optional("The rescale", partial(_rescale, header), notes)


def _table(header: Dataset, words: str, notes: list[str]) -> Table | None:
    tables = items(header, "ModalityLUTSequence")
    return read_table(tables[0], words, notes, signed=header.get("PixelRepresentation") == 1) if tables else None


def _rescale(header: Dataset) -> Rescale | None:
    slope, intercept = numbers(header, "RescaleSlope"), numbers(header, "RescaleIntercept")
    if slope is None and intercept is None:
        return None
    for keyword, value in (("RescaleSlope", slope), ("RescaleIntercept", intercept)):
        if value is None:
            raise Unusable(f"{title(keyword)} is missing")
    assert slope is not None
    assert intercept is not None
    if slope[0] == 0:
        raise Unusable("Rescale Slope is 0")
    return Rescale(slope[0], intercept[0])
