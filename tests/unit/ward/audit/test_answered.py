"""An answer's line tells whether another is the same, and nothing of what it says or of whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgekit import config
from edgekit.runtime import Completion, SamplingParams
from edgekit.ward.audit.answered import Answered, hash_numbers, hash_text, params_text
from edgekit.ward.audit.facts import require_facts
from tests.audits import KEY

COMPLETION = Completion(
    text="a pleural effusion",
    ids=(7, 8, 9),
    reason="stop",
    prompt_tokens=5,
    reused_tokens=2,
    first_token_ms=1.0,
    tokens_per_s=2.0,
    seed=11,
)
ANSWERED = Answered(
    who="account anna",
    conversation="c1",
    turn="t1",
    bundle="ab" * 32,
    engine="onnxruntime/1.32.0/x86_64/avx2",
    slots=2,
    prompt=(1, 2, -3, -4, 5),
    pictures=("cd" * 32,),
    params=SamplingParams(max_tokens=9, stop=("Mr Smith",), seed=11),
    completion=COMPLETION,
)
HASHES = ("images", "params", "prompt", "answer", "text")


def test_it_is_of_facts_alone_and_has_no_word_of_what_was_said() -> None:
    facts = ANSWERED.facts(KEY)
    require_facts(facts)
    assert not any(word in str(facts) for word in ("effusion", "Smith", "cd" * 32, "7, 8, 9"))
    assert (facts["seed"], facts["tokens"], facts["prompt_tokens"], facts["outcome"]) == (11, 3, 5, "stop")
    assert facts["confidence"] is None


@pytest.mark.parametrize(
    ("other", "differs"),
    [
        (replace(ANSWERED, prompt=(1, 2, -3, -4, 6)), {"prompt"}),
        (replace(ANSWERED, prompt=(12, -3, -4, 5)), {"prompt"}),
        (replace(ANSWERED, pictures=("ce" * 32,)), {"images"}),
        (replace(ANSWERED, params=SamplingParams(max_tokens=8, stop=("Mr Smith",), seed=11)), {"params"}),
        (replace(ANSWERED, completion=replace(COMPLETION, ids=(7, 8, 10))), {"answer"}),
        (replace(ANSWERED, completion=replace(COMPLETION, text="none")), {"text"}),
        (replace(ANSWERED, turn="t2"), {"params", "prompt", "answer", "text"}),
        (replace(ANSWERED, conversation="c2"), {"images"}),
    ],
)
def test_a_hash_is_of_what_was_said_and_of_where(other: Answered, differs: set[str]) -> None:
    facts, others = ANSWERED.facts(KEY), other.facts(KEY)
    assert {name for name in HASHES if facts[name] != others[name]} == differs


def test_a_hash_is_nobody_s_without_the_key() -> None:
    facts, others = ANSWERED.facts(KEY), ANSWERED.facts(bytes(32))
    assert all(facts[name] != others[name] for name in HASHES)
    assert hash_text(KEY, "a", "text", "b") != hash_text(KEY, "a b", "text", "")
    assert hash_numbers(KEY, "a", "answer", (1, 23)) != hash_numbers(KEY, "a", "answer", (12, 3))


def test_how_it_was_drawn_is_the_same_when_it_was_kept_and_read() -> None:
    params = ANSWERED.params
    kept = config.load(SamplingParams, config.dump(params), "the store")
    assert params_text(kept) == params_text(replace(params, seed=None))
