"""The child's answers, without the child."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from edgekit.checkpoint.spec import ImageSpec
from edgekit.errors import DecodeError, InputError
from edgekit.inputs.images import FORMATS, load_image
from edgekit.serve import decoding
from edgekit.serve.decoding import decode, pack, unpack, warm

SPEC = ImageSpec(size=8, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), fit="pad")


def asked(content: bytes, frame: int | None = None) -> tuple[object, bytes]:
    return unpack(decode(pack({"frame": frame}, content), SPEC))


@pytest.mark.parametrize("body", [b"", b"\n", b'{"frame": 1}\n\0\xff'])
def test_a_message_comes_apart_as_it_was_put_together(body: bytes) -> None:
    head = {"refused": ["a line\nand another", "é"]}
    assert unpack(pack(head, body)) == (head, body)


@pytest.mark.parametrize("message", [b"", b"{}", b"{\n}"])
def test_what_has_no_line_of_json_is_no_message(message: bytes) -> None:
    with pytest.raises(ValueError, match="Expecting"):
        unpack(message)


def test_a_picture_is_its_digest_its_notes_and_its_pixels() -> None:
    stream = io.BytesIO()
    Image.new("RGB", (9, 5), "teal").save(stream, "PNG")
    whole = load_image(stream.getvalue())
    head, body = asked(stream.getvalue())
    assert head == {"digest": whole.digest, "notes": []}
    assert (np.frombuffer(body, np.float32).reshape(3, 8, 8) == whole.pixels(SPEC)).all()


def test_a_long_refusal_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a file says of itself may stand in it, however long that is."""
    monkeypatch.setattr(decoding, "load_image", fail(InputError("a" * 5000, "Try again.")))
    head, _ = asked(b"")
    assert isinstance(head, dict)
    assert len(head["refused"][0]) == 300


def test_a_lack_of_memory_is_told_from_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    for cause, refusal in ((MemoryError(), None), (OSError("a decoder's words"), {"decoder": ["OSError", "Again."]})):
        error = DecodeError(f"x can't be decoded: {cause}", "Again.")
        error.__cause__ = cause
        monkeypatch.setattr(decoding, "load_image", fail(error))
        if refusal is None:
            with pytest.raises(MemoryError):
                asked(b"")
        else:
            assert asked(b"") == (refusal, b"")


def test_every_format_is_tried_before_the_first_caller_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def load(content: bytes) -> object:
        seen.append(Image.open(io.BytesIO(content)).format)
        return load_image(content)

    monkeypatch.setattr(decoding, "load_image", load)
    warm(SPEC)
    assert seen == list(FORMATS)


def fail(error: Exception) -> object:
    def load(content: bytes, frame: int | None) -> None:
        raise error

    return load
