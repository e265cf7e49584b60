"""Pictures of callers, decoded where a damaged or a malicious one can do no harm: in a child with limits.

Decoders are large, old and fed by strangers. What goes wrong in one costs the one picture, and what it says stays on
the device: callers hear EdgeKit's own words, the log the type of an exception.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from edgekit import config
from edgekit.checkpoint.spec import ImageSpec
from edgekit.errors import InputError, MissingExtra
from edgekit.inputs.kept.picture import KeptPicture
from edgekit.inputs.kept.view import View
from edgekit.inputs.prepared import PreparedPicture
from edgekit.serve.decoded import kept_of, png_of, prepared_of, view_of
from edgekit.serve.messages import pack, unpack
from edgekit.serve.worker import Reason, Worker, WorkerFailure
from edgekit.units import MIB

MODULE = "edgekit.serve.decoding"
MEMORY_BYTES = 1536 * MIB
"""Room for a picture. 64 million pixels, the most that are read, take 0.9 to 1.3 GiB as PNG, JPEG, WebP or DICOM in
colour. Deep DICOM takes 36 bytes a pixel: the largest mammograms, of 30 million, 1.1 GiB; 64 million are refused."""
DEADLINE_S = 30.0
"""Time for a picture. JPEG 2000 of 30 million pixels took 7 s on a busy desktop, and small devices have a third of its
speed."""
_AGAIN = "Copy or export the picture again."
_SMALLER = "Scale it down first; models look at a few hundred pixels a side."
_FAILURES: dict[Reason, tuple[str, str]] = {
    "time": ("The image takes too long to decode", _SMALLER),
    "memory": ("The image takes too much memory to decode", _SMALLER),
    "died": ("The image can't be decoded", _AGAIN),
}

_log = logging.getLogger(__name__)


T = TypeVar("T")


class Decoder:
    """Prepares pictures for the model whose ``spec`` it has, and makes, masks and shows those that are kept, one at a
    time. To be closed in the end.
    """

    def __init__(self, spec: ImageSpec, *, memory_bytes: int = MEMORY_BYTES, deadline_s: float = DEADLINE_S) -> None:
        self._spec = spec
        arguments = [json.dumps(config.dump(spec))]
        self._worker = Worker(MODULE, arguments, memory_bytes=memory_bytes, deadline_s=deadline_s)

    async def start(self) -> None:
        """Wait until the child is warm; :class:`~edgekit.serve.worker.WorkerFailure` where it does not start."""
        await self._worker.start()

    async def close(self) -> None:
        """End the child; pictures that are waiting are not decoded."""
        await self._worker.close()

    async def picture(self, content: bytes, frame: int | None = None) -> PreparedPicture:
        """Return the picture in a file's bytes; ``frame`` is :func:`~edgekit.inputs.images.load_image`'s.

        In words that a caller may read: :class:`~edgekit.errors.InputError` for what is no picture, can't be decoded
        or takes too much memory or time, :class:`~edgekit.errors.MissingExtra` for DICOM without the extra ``dicom``.
        The same holds for all that follow.
        """
        return await self._ask({"op": "decode", "frame": frame}, content, partial(prepared_of, spec=self._spec))

    async def keep(self, content: bytes) -> KeptPicture:
        """Return what is kept of an uploaded file (:func:`edgekit.inputs.kept.keep.keep`)."""
        return await self._ask({"op": "keep"}, content, kept_of)

    async def masked(self, file: bytes, rectangles: Sequence[tuple[int, int, int, int]]) -> KeptPicture:
        """Return a kept picture with rectangles (x, y, width, height) blackened
        (:func:`edgekit.inputs.kept.keep.masked`).
        """
        return await self._ask({"op": "mask", "rectangles": rectangles}, file, kept_of)

    async def view(self, file: bytes, frame: int | None, side: int) -> View | bytes:
        """Return a frame's numbers, or a PNG where it is in colour (:func:`edgekit.inputs.kept.view.view`)."""
        return await self._ask({"op": "view", "frame": frame, "side": side}, file, view_of)

    async def png(self, file: bytes, frame: int | None, side: int) -> bytes:
        """Return a frame as a PNG (:func:`edgekit.inputs.kept.view.png`)."""
        return await self._ask({"op": "png", "frame": frame, "side": side}, file, png_of)

    async def _ask(self, question: dict[str, Any], content: bytes, read: Callable[[Any, bytes], T]) -> T:
        """The child's answer by ``read``, or the error that it is. A decoder may have made the child say anything."""
        try:
            head, body = unpack(await self._worker.call(pack(question, content)))
            _raise_error(head)
            return read(head, body)
        except WorkerFailure as error:
            raise InputError(*_FAILURES[error.reason]) from None
        except (ValueError, RecursionError):
            _log.warning("An image was not decoded: its answer is none")
            raise InputError(*_FAILURES["died"]) from None


def _raise_error(head: Any) -> None:
    match head:
        case {"refused": [str(message), str(hint)]}:
            raise InputError(message, hint)
        case {"extra": [str(purpose), str(extra)]}:
            raise MissingExtra(purpose, extra)
        case {"decoder": [str(exception), str(hint)]}:
            _log.info("An image was not decoded: %s", exception if exception.isidentifier() else "?")
            raise InputError("The image can't be decoded", hint)
