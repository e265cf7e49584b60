"""From messages to turns: a system text, and questions with their pictures and answers, as models' templates have them.

* System and developer messages, wherever they stand, are joined and stand at the beginning: in the template's own place
  for such a text, else before the first question.
* Messages of one role that follow each other are one. The conversation begins and ends with a question.
* The pictures of a question stand before its text, in their order, wherever among its parts they were.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

from edgekit.serve.conversation import BETWEEN, Conversation, Question
from edgekit.serve.openai.request import ImageUrl, Message, Part
from edgekit.serve.refusal import Refusal, invalid

_DATA_URL = re.compile(r"data:[\w.+-]*/?[\w.+-]*(?:;[\w.+-]+=[\w.+-]*)*;base64,", re.IGNORECASE)
_BLANKS = {ord(blank): None for blank in " \t\r\n"}
PIECE = 2**20
"""Characters of base64 that are decoded at once: other threads wait so long."""


@dataclass
class _Said:
    """What one role says, until the other begins."""

    role: str
    texts: list[str]
    images: list[bytes]


def conversation_of(messages: Sequence[Message]) -> Conversation:
    """Read messages; :class:`Refusal` of status 400 names the one that can't be meant."""
    system: list[str] = []
    said: list[_Said] = []
    last = ""
    for number, message in enumerate(messages):
        place = f"messages[{number}]"
        texts, images = _content(message, place)
        if message.role in ("system", "developer"):
            if images:
                raise invalid(f"{place}.content", "has a picture: only questions do.")
            system += texts
            continue
        if message.role not in ("user", "assistant"):
            raise invalid(f"{place}.role", f"is '{message.role[:40]}'; 'system', 'user' and 'assistant' are served.")
        if message.role == "assistant" and (images or not said):
            wrong = "has a picture: only questions do." if images else "begins the conversation: a question does."
            raise invalid(place, wrong)
        if not said or said[-1].role != message.role:
            said.append(_Said(message.role, [], []))
        said[-1].texts += texts
        said[-1].images += images
        last = place
    if not said:
        raise invalid("messages", "has no question.")
    if said[-1].role == "assistant":
        raise invalid(last, "is an answer: the last message is a question.")
    answers = [BETWEEN.join(part.texts) for part in said[1::2]]
    questions = [
        Question(BETWEEN.join(part.texts), tuple(part.images), answer)
        for part, answer in zip(said[::2], [*answers, None], strict=True)
    ]
    return Conversation(BETWEEN.join(text for text in system if text.strip()) or None, tuple(questions))


def _content(message: Message, place: str) -> tuple[list[str], list[bytes]]:
    """The texts and pictures of a message."""
    if isinstance(message.content, str):
        return [message.content], []
    if message.content is None:
        raise invalid(f"{place}.content", "is missing.")
    texts: list[str] = []
    images: list[bytes] = []
    for number, part in enumerate(message.content):
        _read_part(part, f"{place}.content[{number}]", texts, images)
    return ["\n".join(texts)] if texts else [], images


def _read_part(part: Part, place: str, texts: list[str], images: list[bytes]) -> None:
    if part.type in ("text", "input_text", "output_text"):
        if part.text is None:
            raise invalid(f"{place}.text", "is missing.")
        texts.append(part.text)
    elif part.type in ("image_url", "input_image"):
        if part.image_url is None:
            raise invalid(f"{place}.image_url", "is missing.")
        images.append(image_of(part.image_url, f"{place}.image_url"))
    else:
        raise invalid(f"{place}.type", f"is '{part.type[:40]}'; 'text' and 'image_url' are served.")


def image_of(image: ImageUrl | str, place: str) -> bytes:
    """Return the file that a data URL holds. Nothing else is looked at: no address is ever asked for anything."""
    url = image if isinstance(image, str) else image.url
    start = _DATA_URL.match(url[:256])
    if start is None:
        raise Refusal(
            400,
            "A picture is sent as a data URL in base64 (data:image/png;base64,…); the service fetches none.",
            "unsupported_image_url",
            param=place,
        )
    try:
        return _decoded(url[start.end() :])
    except ValueError:
        raise Refusal(400, "The picture's data URL is no valid base64.", "invalid_image_url", param=place) from None


def _decoded(text: str) -> bytes:
    """The bytes that base64 stands for, with or without padding; :class:`ValueError` where it is none."""
    if any(chr(blank) in text for blank in _BLANKS):  # lines, as MIME has them
        text = text.translate(_BLANKS)
    text += "=" * (-len(text) % 4)
    if text.find("=", 0, -2) >= 0:
        raise ValueError("padding within")
    return b"".join(base64.b64decode(text[at : at + PIECE], validate=True) for at in range(0, len(text), PIECE))
