"""Pictures of callers, decoded where a damaged or a malicious one can do no harm: in a child with limits.

Decoders are large, old and fed by strangers. What goes wrong in one costs the one picture, and what it says stays on
the device: callers hear EdgeKit's own words, the log the type of an exception.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import numpy as np

from edgekit import config
from edgekit.checkpoint.spec import ImageSpec
from edgekit.errors import InputError, MissingExtra
from edgekit.inputs.prepared import PreparedPicture
from edgekit.serve.decoding import pack, unpack
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


class Decoder:
    """Prepares pictures, one at a time, for the model whose ``spec`` it has. To be closed in the end."""

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
        """
        try:
            answer = await self._worker.call(pack({"frame": frame}, content))
            head, body = unpack(answer)
        except WorkerFailure as error:
            raise InputError(*_FAILURES[error.reason]) from None
        except (ValueError, RecursionError):
            raise _not_an_answer() from None
        return self._read(head, body)

    def _read(self, head: Any, body: bytes) -> PreparedPicture:
        """An answer's picture, or the error that it is. A decoder may have made the child say anything."""
        shape = (3, self._spec.size, self._spec.size)
        match head:
            case {"digest": str(digest), "notes": list(notes)} if len(body) == 4 * np.prod(shape):
                values = np.frombuffer(body, np.float32).reshape(shape)
                return PreparedPicture(values, self._spec, digest, tuple(map(str, notes)))
            case {"refused": [str(message), str(hint)]}:
                raise InputError(message, hint)
            case {"extra": [str(purpose), str(extra)]}:
                raise MissingExtra(purpose, extra)
            case {"decoder": [str(exception), str(hint)]}:
                _log.info("An image was not decoded: %s", exception if exception.isidentifier() else "?")
                raise InputError("The image can't be decoded", hint)
            case _:
                raise _not_an_answer()


def _not_an_answer() -> InputError:
    _log.warning("An image was not decoded: its answer is none")
    return InputError(*_FAILURES["died"])
