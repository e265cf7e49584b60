"""What the decoder reads: rows of the embedding table with the rows of images spliced in, chunk by chunk.

An image is encoded when a chunk first needs one of its rows, so never where a reused prefix holds them all. What was
encoded for one caller is never used for another: how fast an answer comes must not tell who sent that picture before.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import numpy as np

from edgekit.checkpoint.packed import Array
from edgekit.engines.base import Engine
from edgekit.errors import EngineError
from edgekit.inputs.prompt import ImagePiece, Prompt
from edgekit.units import MIB

IMAGE_CACHE_BYTES = 64 * MIB
"""Room for the pictures that people just asked about (a 7B model's take 9 MiB each in fp32): what is in the
KV of some slot is not needed again, so more would buy little on a device that has little."""

_MOST_POOLED = 256  # some kilobytes each


class Embeddings:
    """Makes the rows of prompts, and keeps the images encoded last: ``cache_bytes`` of them, at least one.

    ``pool``, where it is set, makes something small of an image's rows ``[rows, hidden]``, which is kept longer than
    they are: what is known of an image whose rows are in some slot's KV and not needed again.
    """

    def __init__(self, engine: Engine, cache_bytes: int = IMAGE_CACHE_BYTES) -> None:
        self.pool: Callable[[Array], Array] | None = None
        self._engine = engine
        self._pooled: OrderedDict[tuple[str, str], Array] = OrderedDict()
        self._cache_bytes = cache_bytes
        self._images: OrderedDict[tuple[str, str], Array] = OrderedDict()

    def rows(self, prompt: Prompt, start: int, stop: int, caller: str = "") -> Array:
        """Make rows ``start``…``stop`` of ``prompt``, ``[stop - start, hidden]`` in the engine's activation dtype.

        Images are kept for ``caller``.
        Raises what preparing or encoding an image raises (:class:`InputError`, :class:`EngineError`).
        """
        parts: list[Array] = []
        at = 0
        for piece in prompt.pieces:
            first, last = max(start - at, 0), min(stop - at, len(piece))
            at += len(piece)
            if first >= last:
                continue
            if isinstance(piece, ImagePiece):
                parts.append(self._image(piece, caller)[first:last])
            else:
                parts.append(self._engine.embed(piece.ids[first:last]))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def forget(self, caller: str) -> None:
        """Forget the images kept for ``caller``."""
        for kept in (self._images, self._pooled):
            for key in [key for key in kept if key[0] == caller]:
                del kept[key]

    def pooled(self, piece: ImagePiece, caller: str = "") -> Array | None:
        """Return what ``pool`` made of an image that was encoded for ``caller``; None where it is not known (any
        more)."""
        return self._pooled.get((caller, piece.key))

    def _image(self, piece: ImagePiece, caller: str) -> Array:
        """The image's embeddings ``[rows, hidden]``, encoded or from the cache."""
        key = caller, piece.key
        rows = self._images.get(key)
        if rows is None:
            rows = self._engine.encode(piece.pixels()[None])[0]
            if len(rows) != piece.rows:
                raise EngineError(
                    f"The vision tower gave {len(rows)} rows for an image, the model's description says {piece.rows}",
                    "The bundle is inconsistent: build it again.",
                )
            self._images[key] = rows
            self._pool(key, rows)
        self._images.move_to_end(key)
        while len(self._images) > 1 and sum(image.nbytes for image in self._images.values()) > self._cache_bytes:
            self._images.popitem(last=False)
        return rows

    def _pool(self, key: tuple[str, str], rows: Array) -> None:
        if self.pool is not None:
            self._pooled[key] = self.pool(rows)
            self._pooled.move_to_end(key)
            if len(self._pooled) > _MOST_POOLED:
                self._pooled.popitem(last=False)
