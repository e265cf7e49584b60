"""The child that decodes: an upload's bytes in, of the picture only what the model looks at out.

Run as ``python -m edgekit.serve.decoding SPEC`` by :class:`~edgekit.serve.pictures.Decoder`, ``SPEC`` an
:class:`~edgekit.checkpoint.spec.ImageSpec` as JSON. A message is a line of JSON and, behind it, bytes: ``{"frame": …}``
with a file's, answered by ``{"digest", "notes"}`` with pixels, float32 ``[3, size, size]``; or by one line alone:
``{"refused": [message, hint]}`` in EdgeKit's words, ``{"extra": [purpose, extra]}``, or ``{"decoder": [exception,
hint]}``, of which the exception's type is all that is told.
"""

from __future__ import annotations

import io
import json
import sys
from contextlib import suppress
from functools import partial
from typing import Any

from PIL import Image

from edgekit.checkpoint.spec import ImageSpec
from edgekit.config import load
from edgekit.errors import DecodeError, InputError, MissingExtra, gist
from edgekit.inputs.images import FORMATS, load_image
from edgekit.inputs.prepared import PreparedPicture
from edgekit.serve.limited import answer_messages


def pack(head: dict[str, Any], body: bytes = b"") -> bytes:
    """Make a message of its line and its bytes."""
    return json.dumps(head).encode() + b"\n" + body


def unpack(message: bytes) -> tuple[Any, bytes]:
    """Take a message apart; :class:`ValueError` where its line is no JSON."""
    end = message.find(b"\n") + 1
    return json.loads(message[:end]), message[end:]


def decode(message: bytes, spec: ImageSpec) -> bytes:
    """Answer a file by its picture, or by why there is none; :class:`MemoryError` where that is the reason."""
    head, content = unpack(message)
    try:
        prepared = PreparedPicture.of(load_image(content, head["frame"]), spec)
    except MissingExtra as error:
        return pack({"extra": [error.purpose, error.extra]})
    except DecodeError as error:
        if isinstance(error.__cause__, MemoryError):
            raise error.__cause__ from None
        return pack({"decoder": [type(error.__cause__).__name__, error.hint]})
    except InputError as error:
        return pack({"refused": [gist(error.message), error.hint]})
    return pack({"digest": prepared.digest, "notes": prepared.notes}, prepared.values.tobytes())


def warm(spec: ImageSpec) -> None:
    """Load what decoding needs, so that no caller waits for it, and the limit of memory counts pictures alone."""
    for kind in FORMATS:
        stream = io.BytesIO()
        Image.new("RGB", (8, 8)).save(stream, kind)
        PreparedPicture.of(load_image(stream.getvalue()), spec)
    with suppress(ImportError):  # without the extra, DICOM is refused
        import pydicom.pixels  # noqa: F401

        import edgekit.inputs.dicom.read  # noqa: F401


def main(spec_json: str) -> None:
    """Decode until the service ends."""
    spec = load(ImageSpec, json.loads(spec_json), "the command line")
    warm(spec)
    answer_messages(partial(decode, spec=spec))


if __name__ == "__main__":
    main(*sys.argv[1:])
