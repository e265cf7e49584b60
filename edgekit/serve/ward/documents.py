"""The documents that the ward's endpoints answer with, field by field: what is sent is built of these, and described by
them. Times are UTC, as ISO 8601 writes them."""

from __future__ import annotations

import time
from typing import Any, Literal

from msgspec import Struct, field


class AccountFacts(Struct, kw_only=True):
    """Who is signed in; ``language`` is that of his page, "" until he has chosen one."""

    name: str
    role: Literal["doctor", "admin"]
    language: str


class ServiceFacts(Struct, kw_only=True):
    """What answers: the ``model`` with its notice of intended use, the digest of its ``bundle``, how many ``images`` a
    conversation may show it, whether it reads DICOM, how many it answers at once, and in which languages."""

    model: str
    notice: str
    bundle: str
    images: int
    version: str
    dicom: bool
    slots: int
    languages_of_model: list[str] = field(default_factory=lambda: ["en"])


class SessionDocument(Struct, kw_only=True):
    """Who asks.

    * ``signed_in``, ``account``, ``locked``: whether by a session, whose, and whether its password is to be given first
    * ``csrf``: what the header ``x-csrf-token`` says with whatever changes something; "" without a session
    * ``sign_in_needed``: whether nothing can be done without; ``accounts``: whether there is any
    * ``idle_s``: seconds without a request after which the session ends
    """

    signed_in: bool
    account: AccountFacts | None
    locked: bool
    csrf: str
    sign_in_needed: bool
    accounts: bool
    idle_s: int | None
    service: ServiceFacts


class VerdictDocument(Struct, kw_only=True):
    """What who asks has said of an answer; ``answer`` is the right one, where he gave it."""

    verdict: Literal["right", "wrong", "answer"]
    answer: str


class TurnDocument(Struct, kw_only=True):
    """A question and its answer.

    * ``number``: its place in the conversation, from 1; ``by``: who asked
    * ``pictures``: the ids of those that stand before the question
    * ``state``: whether the answer has begun, is whole, was stopped, or failed; ``notes``: what was said of pictures
    * ``seed``, ``params``: how it was drawn; ``tokens``, ``prompt_tokens``: how much was written and read
    * ``bundle``: the digest of what answered
    """

    id: str
    number: int
    question: str
    pictures: list[str]
    answer: str
    state: Literal["waiting", "writing", "whole", "stopped", "failed"]
    notes: list[str]
    seed: int
    params: dict[str, Any]
    tokens: int
    prompt_tokens: int
    bundle: str
    by: str
    language: str
    created: str
    verdict: VerdictDocument | None
    confidence: dict[str, float] | None


class PictureDocument(Struct, kw_only=True):
    """A picture that is kept: its size in pixels, its ``frames`` and the ``bits`` of each sample, what its file said of
    how it was taken (``facts``), what its reader said (``notes``), and what to look at ("burned_in": there may be text
    in it)."""

    id: str
    width: int
    height: int
    frames: int
    bits: int
    colour: bool
    facts: dict[str, Any]
    notes: list[str]
    warnings: list[str]


class ShareDocument(Struct, kw_only=True):
    """A colleague who sees a conversation, and whether he may ask in it, too."""

    name: str
    may_ask: bool


class ConversationHead(Struct, kw_only=True):
    """What is told of a conversation wherever one is shown: ``access`` says whether it is one's own, or may be read, or
    asked in, too."""

    id: str
    label: str
    title: str
    referring_question: str
    created: str
    changed: str
    access: Literal["own", "ask", "read"]
    owner: str


class ConversationDocument(ConversationHead, kw_only=True):
    """A conversation: ``access`` says whether it is one's own, or may be read, or asked in, too."""

    pictures: int
    turns: int


class AccessDocument(Struct, kw_only=True):
    """What who asks may do in a conversation."""

    access: Literal["own", "ask", "read"]


class WholeConversation(ConversationHead, kw_only=True):
    """A conversation with all that is in it."""

    turns: list[TurnDocument]
    images: list[PictureDocument]
    shares: list[ShareDocument]
    report: str


class ConversationList(Struct, kw_only=True):
    """Conversations, the last changed first; ``more`` says whether there are older ones."""

    conversations: list[ConversationDocument]
    more: bool


class Colleagues(Struct, kw_only=True):
    """To whom a conversation can be shown."""

    names: list[str]


class QueueFacts(Struct, kw_only=True):
    """Answers that are being written, and those that wait."""

    running: int
    waiting: int


class SlotFacts(Struct, kw_only=True):
    """Answers that can be written at once, and how many are."""

    all: int
    busy: int


class MemoryFacts(Struct, kw_only=True):
    """What the service has in memory, and may have (null: nobody has said, or a GPU's counts)."""

    used_bytes: int
    budget_bytes: int | None


class DiskFacts(Struct, kw_only=True):
    """The disk of what is kept."""

    free_bytes: int
    all_bytes: int


class SignedIn(Struct, kw_only=True):
    """A session that lasts: whose, since when, and when it was last seen."""

    name: str
    since: str
    seen: str
    locked: bool


class FailureFacts(Struct, kw_only=True):
    """What the service failed at: when, and the code that its caller was told."""

    time: str
    code: str


class CertificateFacts(Struct, kw_only=True):
    """A certificate, or its authority's, and its last day."""

    name: str
    until: str


class GoldenFacts(Struct, kw_only=True):
    """The last golden check on this machine, and whether the answers were those of the build."""

    time: str
    agrees: bool


class NightlyFacts(Struct, kw_only=True):
    """What the nightly check said of the installed service: "passed", "failed" or "not done" of each part, when, and
    what it found."""

    files: str
    answers: str
    files_time: str
    answers_time: str
    findings: list[str]


class AdminDocument(Struct, kw_only=True):
    """How the service fares since it ``started``; the last of its errors first."""

    started: str
    queue: QueueFacts
    slots: SlotFacts
    memory: MemoryFacts
    disk: DiskFacts
    signed_in: list[SignedIn]
    errors: list[FailureFacts]
    certificates: list[CertificateFacts]
    golden: GoldenFacts | None
    nightly: NightlyFacts | None


def iso(seconds: float) -> str:
    """Return a time as documents have it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
