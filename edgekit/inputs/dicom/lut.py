"""Look-up tables: of the modality, of the values of interest, of a palette (PS3.3 C.11.1.1, C.11.2.1.1, C.7.6.3.1.5).

The look-up is EdgeKit's own: pydicom's keeps its index in as few bits as an entry or a pixel has, which more than 256
entries of 8 bits, and tables over signed pixels, overflow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgekit.inputs.dicom.header import Unusable, title
from edgekit.inputs.grey import Values

if TYPE_CHECKING:
    from pydicom import Dataset

Words = npt.NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class Table:
    """``entries``, uint16 ``[entries]``, of ``bits`` bits; ``first`` is the value that the first of them stands for."""

    entries: Words
    first: int
    bits: int

    def __call__(self, values: Values) -> Words:
        """The entry of each value, uint16; values before the first have its entry, those behind the last the last's."""
        last = len(self.entries) - 1
        index = np.clip(np.rint(np.asarray(values, np.float64) - self.first), 0, last)
        mapped: Words = self.entries[np.nan_to_num(index).astype(np.int64)]
        return mapped

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Table):
            return False
        alike = (self.first, self.bits) == (other.first, other.bits)
        return alike and np.array_equal(self.entries, other.entries)

    def __hash__(self) -> int:
        return hash((self.first, self.bits, self.entries.tobytes()))


def read_table(header: Dataset, words: str, notes: list[str], *, stem: str = "LUT", signed: bool = False) -> Table:
    """Read the table in ``header``'s elements ``…Descriptor`` and ``…Data``;
    ``words`` is the dtype of the file's 16 bits.

    ``signed``: whether the first value mapped is (what the descriptor's own VR says about that is often wrong). Tables
    of 8 bits an entry are found in words and packed in bytes. A descriptor that gives too few bits for the entries, or
    16 (which many write for 12), is not believed: the bits are then those of the greatest entry. A table of another
    length than its descriptor gives is used as it is, with a note, as dcmtk does; :class:`Unusable` for one without
    entries or without a descriptor.
    """
    descriptor = _words(header, f"{stem}Descriptor", words)
    data = _words(header, f"{stem}Data", words)
    if len(descriptor) < 3:
        raise Unusable(f"{title(f'{stem}Descriptor')} has {len(descriptor)} values and not 3")
    if not len(data):
        raise Unusable(f"{title(f'{stem}Data')} is empty")
    count, first, bits = (int(number) for number in descriptor[:3])
    count = count or 2**16
    if bits <= 8 and len(data) < count and len(data) == (count + 1) // 2:
        data = data.astype("<u2").view(np.uint8)[:count].astype(np.uint16)  # the first of two is in the low byte
    if len(data) != count:
        notes.append(f"{title(f'{stem}Data')} has {len(data)} entries, not {count} as its descriptor says.")
    greatest = int(data.max()).bit_length()
    return Table(data, _signed(first) if signed else first, bits if greatest <= bits < 16 else max(8, greatest))


def _words(header: Dataset, keyword: str, order: str) -> Words:
    """An element of 16-bit words, whichever VR it is stored under: US, SS, OW, OB, or UN because it is long."""
    try:
        value: Any = header[keyword].value if keyword in header else None
    except Exception as error:  # pydicom converts values when they are asked for
        raise Unusable(f"{title(keyword)} can't be read") from error
    if value is None:
        return np.zeros(0, np.uint16)
    if isinstance(value, bytes):
        return np.frombuffer(value + b"\0" * (len(value) % 2), order).astype(np.uint16)
    try:
        return (np.ravel(value).astype(np.int64) & 0xFFFF).astype(np.uint16)
    except (TypeError, ValueError) as error:
        raise Unusable(f"{title(keyword)} can't be read") from error


def _signed(word: int) -> int:
    return word - 2**16 if word >= 2**15 else word
