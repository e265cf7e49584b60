"""What the ward's endpoints may be asked, read strictly: each field with its bounds."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

LABEL, QUESTION, REPORT, ANSWER = 200, 4000, 65536, 16384
"""Letters of a label, of a referring doctor's question, of a report, and of an answer that is put right."""
Secret = Annotated[str, Meta(max_length=1024)]
Name = Annotated[str, Meta(max_length=200)]
Id = Annotated[str, Meta(max_length=64)]


class SignIn(Struct):
    """Who wants to come in."""

    name: Name
    password: Secret


class Unlock(Struct):
    """The password of whoever has locked his session."""

    password: Secret


class Invitation(Struct):
    """The secret of a one-time link, and the password that is chosen by it."""

    secret: Secret
    password: Secret


class NewPassword(Struct):
    """One's password, and the next."""

    old: Secret
    new: Secret


class ChangedAccount(Struct):
    """The language of one's page: "fr", "pt-BR"; "" for the browser's."""

    language: Annotated[str, Meta(max_length=16)]


class NewConversation(Struct):
    """A conversation: a ``label`` by which its owner knows it, without names, and what the referring doctor asked."""

    label: Annotated[str, Meta(max_length=LABEL)] = ""
    referring_question: Annotated[str, Meta(max_length=QUESTION)] = ""


class ChangedConversation(Struct):
    """What is changed of a conversation; what isn't said stays."""

    label: Annotated[str, Meta(max_length=LABEL)] | None = None
    referring_question: Annotated[str, Meta(max_length=QUESTION)] | None = None
    report: Annotated[str, Meta(max_length=REPORT)] | None = None


class NewQuestion(Struct, kw_only=True):
    """A question.

    * ``text``, ``images``: what is asked, and the ids of the pictures that it is asked about
    * ``seed``, ``temperature``, ``max_tokens``: how the answer is drawn, as of a chat completion
    * ``stream``: as events, or else whole
    * ``language``: of whoever asks, kept with the question
    """

    text: str
    images: list[Id] = []
    seed: Annotated[int, Meta(ge=0, le=2**53 - 1)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=100)] | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    stream: bool = True
    language: Annotated[str, Meta(max_length=16)] = ""


class Mask(Struct):
    """Rectangles of a picture that are made black: left, top, width and height, in its pixels."""

    rectangles: Annotated[
        list[tuple[int, int, Annotated[int, Meta(ge=1)], Annotated[int, Meta(ge=1)]]], Meta(min_length=1, max_length=64)
    ]


class Feedback(Struct):
    """A doctor's word on an answer: right, wrong, or what it should have been."""

    turn: Id
    verdict: Literal["right", "wrong", "answer"]
    answer: Annotated[str, Meta(max_length=ANSWER)] = ""


class Share(Struct):
    """Whether a colleague may ask in a conversation, or read it only."""

    may_ask: bool = False
