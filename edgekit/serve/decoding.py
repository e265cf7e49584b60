"""The child that decodes: a file's bytes in, and out what an operation makes of them.

Run as ``python -m edgekit.serve.decoding SPEC`` by :class:`~edgekit.serve.pictures.Decoder`, ``SPEC`` an
:class:`~edgekit.checkpoint.spec.ImageSpec` as JSON. A message (:mod:`~edgekit.serve.messages`) is a line and a file's
bytes: ``{"op": …}`` with one of :data:`~edgekit.serve.operations.OPERATIONS` and what that takes, answered by that
operation's line and bytes; or by one line alone: ``{"refused": [message, hint]}`` in EdgeKit's words, ``{"extra":
[purpose, extra]}``, or ``{"decoder": [exception, hint]}``, of which the exception's type is all that is told.
"""

from __future__ import annotations

import io
import json
import sys
from contextlib import suppress
from functools import partial

from PIL import Image

from edgekit.checkpoint.spec import ImageSpec
from edgekit.config import load
from edgekit.errors import DecodeError, InputError, MissingExtra, gist
from edgekit.inputs.images import FORMATS
from edgekit.phantom.dicom import dicom_file
from edgekit.serve.limited import answer_messages
from edgekit.serve.messages import pack, unpack
from edgekit.serve.operations import OPERATIONS


def answer(message: bytes, spec: ImageSpec) -> bytes:
    """Answer a file by what is made of it, or by why it is not; :class:`MemoryError` where that is the reason."""
    head, content = unpack(message)
    try:
        return pack(*OPERATIONS[head["op"]](head, content, spec))
    except MissingExtra as error:
        return pack({"extra": [error.purpose, error.extra]})
    except DecodeError as error:
        if isinstance(error.__cause__, MemoryError):
            raise error.__cause__ from None
        return pack({"decoder": [type(error.__cause__).__name__, error.hint]})
    except InputError as error:
        return pack({"refused": [gist(error.message), error.hint]})


def warm(spec: ImageSpec) -> None:
    """Load what operations need, so that no caller waits for it, and the limit of memory counts pictures alone."""
    files = []
    for kind in FORMATS:
        stream = io.BytesIO()
        Image.new("RGB", (8, 8)).save(stream, kind)
        files.append(stream.getvalue())
    with suppress(MissingExtra):  # without it, DICOM is refused
        files.append(dicom_file(0, Image.new("L", (8, 8))))
    for content in files:
        for operation in OPERATIONS.values():
            operation({"frame": None, "side": 0, "rectangles": [[0, 0, 1, 1]]}, content, spec)


def main(spec_json: str) -> None:
    """Answer until the service ends."""
    spec = load(ImageSpec, json.loads(spec_json), "the command line")
    warm(spec)
    answer_messages(partial(answer, spec=spec))


if __name__ == "__main__":
    main(*sys.argv[1:])
