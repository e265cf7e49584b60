"""Requests as OpenAI's API has them; another server's stricter reading is not provoked."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from edgekit.batch.request import data_url, request_of
from edgekit.batch.rows import Row
from edgekit.runtime import SamplingParams

ROW = Row(1, "What changed?", ("a", "b"), Path("."))


def test_pictures_stand_before_the_question_and_what_is_off_is_left_out() -> None:
    assert request_of(ROW, [b"\x89PNG", b"?"], "m", SamplingParams(max_tokens=9)) == {
        "model": "m",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
                    {"type": "image_url", "image_url": {"url": "data:application/octet-stream;base64,Pw=="}},
                    {"type": "text", "text": "What changed?"},
                ],
            }
        ],
        "max_tokens": 9,
        "temperature": 0.0,
        "stream": True,
        "stream_options": {"include_usage": True},
        "service_tier": "flex",
    }


def test_every_wish_is_sent() -> None:
    wishes = {"temperature": 0.5, "top_p": 0.9, "top_k": 5, "min_p": 0.1, "repetition_penalty": 1.1, "seed": 0}
    request = request_of(ROW, [], "m", SamplingParams(**wishes, stop=("x", "y")))  # type: ignore[arg-type]
    assert {name: request[name] for name in wishes} == wishes
    assert request["stop"] == ["x", "y"]
    assert request["messages"] == [{"role": "user", "content": "What changed?"}]


@pytest.mark.parametrize(
    ("file", "mime"),
    [
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"RIFF1234WEBP", "image/webp"),
        (bytes(128) + b"DICM", "application/dicom"),
        (b"GIF89a", "application/octet-stream"),
    ],
)
def test_a_picture_is_called_what_its_content_is(file: bytes, mime: str) -> None:
    assert data_url(file) == f"data:{mime};base64,{base64.b64encode(file).decode()}"
