"""What a line of the audit may say, and in what form: so that nothing of a patient can get into one by mistake.

A text that somebody wrote has blanks, or a name that isn't in this table. Both are refused where a line is made, by
:class:`ValueError`: it is a fault of the program, which its tests find.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

Fact: TypeAlias = "str | int | float | bool | None"
Event = Literal[
    "service_started",
    "service_stopped",
    "sign_in",
    "sign_in_failed",
    "sign_out",
    "session_locked",
    "session_unlocked",
    "password",
    "invitation_used",
    "account_added",
    "account_invited",
    "account_disabled",
    "account_enabled",
    "account_role",
    "account_removed",
    "conversations_listed",
    "conversation_made",
    "conversation_read",
    "conversation_changed",
    "conversation_deleted",
    "conversation_expired",
    "picture_added",
    "picture_viewed",
    "picture_masked",
    "picture_removed",
    "asked",
    "answered",
    "failed",
    "stopped",
    "feedback",
    "share_given",
    "share_withdrawn",
    "exported",
    "printed",
    "backup",
    "keys_copied",
    "restored",
    "support",
    "set_aside",
    "unsealed",
]
"""The last two are the audit's own: what a crash left of a line, and a head that was missing."""
EVENTS = frozenset(get_args(Event))

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_HEX = re.compile(r"[0-9a-f]{16,64}")
_ADDRESS = re.compile(r"[0-9A-Za-z.:%\[\]-]{1,64}")
_NAME = re.compile(r"[^\s\x00-\x20\x7f-\x9f](?:[^\x00-\x1f\x7f-\x9f]{0,198}[^\s\x00-\x20\x7f-\x9f])?")
_PROGRAM = re.compile(r"[A-Za-z0-9_.+/:-]{1,300}")

TEXTS: Mapping[str, re.Pattern[str]] = {
    **dict.fromkeys(("conversation", "turn", "picture", "masked_from", "session", "file"), _ID),
    **dict.fromkeys(("code", "reason", "outcome", "role", "verdict", "kind", "language", "edgekit"), _WORD),
    **dict.fromkeys(("bundle", "sha256", "prompt", "answer", "text", "params", "image"), _HEX),
    "address": _ADDRESS,
    "account": _NAME,
    "engine": _PROGRAM,
}
"""Names of accounts are the staff's; ``prompt``, ``answer``, ``text``, ``params`` and ``image`` are keyed hashes."""
NUMBERS = frozenset(
    {
        *("seed", "tokens", "prompt_tokens", "confidence", "slots", "bytes", "count", "lines", "number", "pictures"),
        *("frame", "width", "height", "side", "days"),
    }
)
TRUTHS = frozenset({"may_ask", "locked", "again"})


def require_event(event: str, who: str) -> None:
    """Refuse an event that isn't listed, and whoever is no name of at most 200 characters."""
    if event not in EVENTS:
        raise ValueError(f"{event} is no event of the audit")
    if not _NAME.fullmatch(who):
        raise ValueError("who did it is no name")


def require_facts(facts: Mapping[str, object]) -> None:
    """Refuse what isn't listed, or has another form than the list says. A value is never part of the message."""
    for name, value in facts.items():
        if name == "images":
            right = isinstance(value, list) and all(isinstance(text, str) and _HEX.fullmatch(text) for text in value)
        elif name in TEXTS:
            right = value is None or (isinstance(value, str) and TEXTS[name].fullmatch(value) is not None)
        elif name in NUMBERS:
            right = value is None or (isinstance(value, int | float) and math.isfinite(value))
        else:
            right = name in TRUTHS and isinstance(value, bool)
        if not right:
            raise ValueError(f"the fact '{name}' is none that a line of the audit may hold")
