"""The values of interest as shades: a look-up table, or a window (PS3.3 C.11.2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from edgekit.inputs.dicom.header import Unusable, items, numbers, optional, text, title
from edgekit.inputs.dicom.lut import Table, read_table
from edgekit.inputs.grey import Shades, Values, Window, by_depth

if TYPE_CHECKING:
    from pydicom import Dataset

_FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


@dataclass(frozen=True)
class TableShades:
    """A table's entries as shades, by their bits."""

    table: Table

    def __call__(self, values: Values) -> Shades:
        return by_depth(self.table(values), self.top)

    @property
    def top(self) -> int:
        """The entry that is white."""
        return (1 << self.table.bits) - 1


VOI: TypeAlias = TableShades | Window


def read_voi(header: Dataset, words: str, signed: bool, notes: list[str]) -> VOI | None:
    """Read the first of tables and windows that can be used; None without any. What can't be used is noted.

    ``signed``: whether values may be below 0, and with them the first that a table maps.
    """
    tables = optional("The VOI LUT", partial(items, header, "VOILUTSequence"), notes) or []
    for index, item in enumerate(tables):
        read = partial(read_table, item, words, notes, signed=signed)
        table = optional(f"VOI LUT {index + 1}", read, notes)
        if table is not None:
            return TableShades(table)
    return optional("The window", partial(_window, header, notes), notes)


def _window(header: Dataset, notes: list[str]) -> Window | None:
    """The first pair of a centre and a width that can be used."""
    centres, widths = numbers(header, "WindowCenter"), numbers(header, "WindowWidth")
    if centres is None and widths is None:
        return None
    if centres is None or widths is None:
        raise Unusable(f"{title('WindowWidth' if widths is None else 'WindowCenter')} is missing")
    function = _function(header, notes)
    for index, (centre, width) in enumerate(zip(centres, widths, strict=False)):
        if width >= 1 if function == "LINEAR" else width > 0:
            if index:
                notes.append(f"Window {index + 1} is taken: the width of the first is {widths[0]:g}.")
            return Window(function, centre, width)
    raise Unusable(f"{title('WindowWidth')} is {widths[0]:g}")


def _function(header: Dataset, notes: list[str]) -> str:
    function = text(header, "VOILUTFunction") or "LINEAR"
    if function in _FUNCTIONS:
        return function
    notes.append(f"{title('VOILUTFunction')} is left out: {function[:40]!r} is none; LINEAR is assumed.")
    return "LINEAR"
