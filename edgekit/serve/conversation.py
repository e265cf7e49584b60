"""A conversation as the service takes it, whichever API it came by: a system text, and questions with their pictures
and answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from edgekit.inputs.prepared import PreparedPicture

BETWEEN = "\n\n"
"""Between texts that are joined."""
Source: TypeAlias = Callable[[], Awaitable[PreparedPicture]]
"""Gives a picture that lies elsewhere, once it is needed."""


@dataclass(frozen=True)
class Question:
    """A question with its pictures, as files or where to get them, and its answer (None: still to come)."""

    text: str
    images: tuple[bytes | Source, ...]
    answer: str | None


@dataclass(frozen=True)
class Conversation:
    """What was said so far, the last question without an answer; ``system`` is None without such a text."""

    system: str | None
    questions: tuple[Question, ...]

    @property
    def images(self) -> int:
        """The number of pictures."""
        return sum(len(question.images) for question in self.questions)

    @property
    def text_bytes(self) -> int:
        """All texts together, in UTF-8."""
        texts = [self.system or "", *(text for turn in self.questions for text in (turn.text, turn.answer or ""))]
        return sum(len(text.encode(errors="surrogatepass")) for text in texts)
