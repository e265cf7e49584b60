"""What somebody wrote gets into no line: not by another name, not as a value."""

from __future__ import annotations

import math
from typing import Any

import pytest

from edgekit.ward.audit.facts import EVENTS, require_event, require_facts


@pytest.mark.parametrize(
    "facts",
    [
        {"conversation": "q3Jx0a-_ZZZZZZZZZZZZZZ", "turn": "t", "picture": "p", "pictures": 3},
        {"code": "context_length_exceeded", "reason": "wrong_password", "outcome": "stop", "role": "doctor"},
        {"bundle": "0123456789abcdef" * 4, "images": ["0123456789abcdef" * 4], "seed": 2**62, "tokens": 0},
        {"confidence": None, "may_ask": False, "address": "fe80::1%eth0", "account": "Zoë Ngũgĩ", "edgekit": "0.1.0"},
        {"confidence": 0.5, "engine": "onnxruntime/1.32.0/x86_64/avx2+avx512f"},
    ],
)
def test_ids_numbers_and_words_are_facts(facts: dict[str, Any]) -> None:
    require_facts(facts)


@pytest.mark.parametrize(
    "facts",
    [
        {"question": "x"},
        {"label": "x"},
        {"answer": "yes"},
        {"answer": "a pleural effusion"},
        {"conversation": "Mr Smith"},
        {"code": "no such picture"},
        {"outcome": ""},
        {"tokens": "12"},
        {"may_ask": 1},
        {"confidence": math.nan},
        {"images": "0123456789abcdef"},
        {"images": ["chest.png"]},
        {"account": "anna\nben"},
        {"account": " "},
        {"turn": 3},
        {"seq": 1},
        {"mac": "0" * 64},
    ],
)
def test_nothing_else_is(facts: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="none that a line") as refused:
        require_facts(facts)
    assert not any(str(value) in str(refused.value) for value in facts.values() if len(str(value)) > 1)


def test_an_event_is_one_of_the_list_and_somebody_did_it() -> None:
    for event in EVENTS:
        require_event(event, "account anna")
    for event, who in (("looked", "account anna"), ("asked", ""), ("asked", "a\x00b"), ("asked", "a" * 201)):
        with pytest.raises(ValueError, match=r"no event|no name"):
            require_event(event, who)
