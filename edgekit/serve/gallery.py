"""Pictures that were prepared already, so that a conversation's next question does not decode them again.

Clients send every picture of a conversation with each of its questions. What one caller sent never serves another: how
long an answer takes must not tell whether somebody else has the same picture.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from edgekit.inputs.prepared import PreparedPicture
from edgekit.serve.asgi import apart
from edgekit.units import MIB

CACHE_BYTES = 64 * MIB
"""About fifty pictures of 336 pixels a side."""


class Gallery:
    """Keeps what ``decode`` prepared last, in ``cache_bytes`` of pixels."""

    def __init__(self, decode: Callable[[bytes], Awaitable[PreparedPicture]], cache_bytes: int = CACHE_BYTES) -> None:
        self.decode = decode
        self._cache_bytes = cache_bytes
        self._pictures: OrderedDict[tuple[str, bytes], PreparedPicture] = OrderedDict()
        self._forgotten = 0

    async def picture(self, caller: str, file: bytes) -> PreparedPicture:
        """Return a picture's file prepared, from what this ``caller`` sent before where it can be; errors of
        ``decode``."""
        digest = await apart(len(file), lambda: hashlib.sha256(file).digest())
        return await self.stored(caller, digest, lambda: self.decode(file))

    async def stored(
        self, caller: str, name: bytes, prepare: Callable[[], Awaitable[PreparedPicture]]
    ) -> PreparedPicture:
        """Return the picture that ``prepare`` gives, which is called only where it has to be: what is called ``name``
        is one picture, and stays it.
        """
        forgotten = self._forgotten
        key = caller, name
        picture = self._pictures.get(key)
        if picture is None:
            picture = await prepare()
            if self._forgotten != forgotten:  # meanwhile; somebody else's costs one more decoding at most
                return picture
            self._pictures[key] = picture
        self._pictures.move_to_end(key)
        while len(self._pictures) > 1 and self._held_bytes() > self._cache_bytes:
            self._pictures.popitem(last=False)
        return picture

    def forget(self, caller: str) -> None:
        """Keep nothing that this caller has sent, decoded or not."""
        self._forgotten += 1
        for key in [key for key in self._pictures if key[0] == caller]:
            del self._pictures[key]

    def _held_bytes(self) -> int:
        return sum(picture.values.nbytes for picture in self._pictures.values())
