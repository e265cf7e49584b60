"""VOI look-up tables (PS3.3 C.11.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgekit.inputs.grey import Shades, Values, by_depth

if TYPE_CHECKING:
    from pydicom import Dataset


def through_lut(values: Values, header: Dataset) -> Shades:
    """The first VOI LUT; its depth is judged by its entries, since what its descriptor says is often wrong."""
    from pydicom.pixels import apply_voi

    count, first, _ = header.VOILUTSequence[0].LUTDescriptor
    inputs = np.arange(first, first + (count or 2**16), dtype=np.int32)  # 0 stands for 65,536 entries
    entries = apply_voi(inputs, header, index=0)
    shades = apply_voi(np.rint(values).astype(np.int32), header, index=0)
    return by_depth(shades, int(entries.max()))
