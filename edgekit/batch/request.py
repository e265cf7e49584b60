"""A row as a request of OpenAI's API, for work that can wait (``service_tier: "flex"``)."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from edgekit.batch.rows import Row
from edgekit.inputs import formats
from edgekit.inputs.dicom.recognise import is_dicom
from edgekit.runtime import SamplingParams

_WISHES = ("top_p", "top_k", "min_p", "repetition_penalty", "seed")
_OFF = SamplingParams()


def request_of(row: Row, files: Sequence[bytes], model: str, params: SamplingParams) -> dict[str, Any]:
    """Return the request for a row with its pictures' ``files``, its answer wanted as a stream.

    Wishes that are off are left out: some servers refuse what they don't know.
    """
    images = [{"type": "image_url", "image_url": {"url": data_url(file)}} for file in files]
    content = [*images, {"type": "text", "text": row.question}] if images else row.question
    wishes = {name: getattr(params, name) for name in _WISHES if getattr(params, name) != getattr(_OFF, name)}
    return {
        "model": model,
        "messages": [{"role": "user", "content": content}],
        "max_tokens": params.max_tokens,
        "temperature": params.temperature,
        **wishes,
        **({"stop": list(params.stop)} if params.stop else {}),
        "stream": True,
        "stream_options": {"include_usage": True},
        "service_tier": "flex",
    }


def data_url(file: bytes) -> str:
    """Return a picture's file as requests hold it."""
    kind = formats.ours(file[: formats.HEAD])
    if is_dicom(file[:132], ""):
        mime = "application/dicom"
    else:
        mime = f"image/{kind.lower()}" if kind else "application/octet-stream"
    return f"data:{mime};base64,{base64.b64encode(file).decode()}"
