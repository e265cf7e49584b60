"""A picture of which only that is left what one model looks at: a few hundred pixels a side, ready for its tower.

Decoded elsewhere, it stands wherever a :class:`~edgekit.inputs.images.Picture` does in a conversation: its digest is
that of the whole picture, so caches take both for the same, and its pixels are the same bit by bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgekit.checkpoint.spec import ImageSpec
from edgekit.errors import InputError
from edgekit.inputs.images import Picture


@dataclass(frozen=True, eq=False)
class PreparedPicture:
    """A picture's ``values`` as ``spec`` wants them, float32 ``[3, size, size]``; its digest and notes are the whole
    picture's.
    """

    values: npt.NDArray[np.float32]
    spec: ImageSpec
    digest: str
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, picture: Picture, spec: ImageSpec) -> PreparedPicture:
        """Prepare a whole picture."""
        return cls(picture.pixels(spec), spec, picture.digest, picture.notes)

    def pixels(self, spec: ImageSpec) -> npt.NDArray[np.float32]:
        """Return ``values``; :class:`~edgekit.errors.InputError` for another ``spec`` than they were prepared for."""
        if spec != self.spec:
            raise InputError("The image was prepared for another model", "Give the image again.")
        return self.values

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PreparedPicture) and (self.digest, self.spec) == (other.digest, other.spec)

    def __hash__(self) -> int:
        return hash((self.digest, self.spec))
