"""The child's answers, without the child."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgekit.checkpoint.spec import ImageSpec
from edgekit.errors import DecodeError, InputError
from edgekit.inputs.images import FORMATS, load_image
from edgekit.serve import decoding, operations
from edgekit.serve.decoding import answer, warm
from edgekit.serve.messages import pack, unpack
from edgekit.serve.operations import OPERATIONS

SPEC = ImageSpec(size=8, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), fit="pad")


def asked(content: bytes, op: str = "decode") -> tuple[object, bytes]:
    return unpack(answer(pack({"op": op, "frame": None, "side": 0, "rectangles": []}, content), SPEC))


def test_a_picture_is_its_digest_its_notes_and_its_pixels() -> None:
    stream = io.BytesIO()
    Image.new("RGB", (9, 5), "teal").save(stream, "PNG")
    whole = load_image(stream.getvalue())
    head, body = asked(stream.getvalue())
    assert head == {"digest": whole.digest, "notes": []}
    assert (np.frombuffer(body, np.float32).reshape(3, 8, 8) == whole.pixels(SPEC)).all()


def test_a_long_refusal_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a file says of itself may stand in it, however long that is."""
    monkeypatch.setattr(operations, "load_image", fail(InputError("a" * 5000, "Try again.")))
    head, _ = asked(b"")
    assert isinstance(head, dict)
    assert len(head["refused"][0]) == 300


def test_a_lack_of_memory_is_told_from_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    for cause, refusal in ((MemoryError(), None), (OSError("a decoder's words"), {"decoder": ["OSError", "Again."]})):
        error = DecodeError(f"x can't be decoded: {cause}", "Again.")
        error.__cause__ = cause
        monkeypatch.setattr(operations, "load_image", fail(error))
        if refusal is None:
            with pytest.raises(MemoryError):
                asked(b"")
        else:
            assert asked(b"") == (refusal, b"")


def test_every_format_is_tried_before_the_first_caller_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: dict[str, list[str]] = {}

    def listening(word: str, operation: operations.Operation) -> operations.Operation:
        def note(head: Mapping[str, Any], content: bytes, spec: ImageSpec) -> operations.Answer:
            is_dicom = content[128:132] == b"DICM"
            kind = "DICOM" if is_dicom else Image.open(io.BytesIO(content)).format or ""
            tried.setdefault(word, []).append(kind)
            return operation(head, content, spec)

        return note

    heard = {word: listening(word, operation) for word, operation in OPERATIONS.items()}
    monkeypatch.setattr(decoding, "OPERATIONS", heard)
    warm(SPEC)
    assert tried == {word: [*FORMATS, "DICOM"] for word in ("decode", "keep", "mask", "view", "png")}


@pytest.mark.parametrize("op", ["keep", "mask", "view", "png"])
def test_each_operation_tells_damage_in_the_same_words(op: str) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (90, 50), "teal").save(stream, "PNG")
    with pytest.raises(DecodeError) as caught:
        load_image(stream.getvalue()[:-30])
    assert asked(stream.getvalue()[:-30], op) == ({"decoder": ["OSError", caught.value.hint]}, b"")
    head, body = asked(b"Dear colleague, " * 20, op)
    assert isinstance(head, dict)
    assert {*head} == {"refused"}
    assert not body


def fail(error: Exception) -> object:
    def load(content: bytes, frame: int | None) -> None:
        raise error

    return load
