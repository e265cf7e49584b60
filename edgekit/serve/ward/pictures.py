"""What decodes pictures for the page, where they can do no harm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from edgekit.inputs.kept.picture import KeptPicture
    from edgekit.inputs.kept.view import View


class Pictures(Protocol):
    """Decodes in a child; what it refuses is an :class:`~edgekit.errors.InputError` in words that a caller may read."""

    async def keep(self, content: bytes) -> KeptPicture:
        """Return what is kept of a file."""
        ...

    async def masked(self, content: bytes, rectangles: Sequence[tuple[int, int, int, int]]) -> KeptPicture:
        """Return a kept picture with rectangles (left, top, width, height) blackened."""
        ...

    async def view(self, content: bytes, frame: int | None, side: int) -> View | bytes:
        """Return the numbers of a kept picture's frame, at most ``side`` pixels large (0: all there are); of one in
        colour, a PNG."""
        ...

    async def png(self, content: bytes, frame: int | None, side: int) -> bytes:
        """Return a kept picture's frame as PNG, at most ``side`` pixels large (0: all there are)."""
        ...
