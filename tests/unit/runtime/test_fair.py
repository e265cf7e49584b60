"""Who comes next, by what each caller has cost so far."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.inputs.prompt import Prompt, TextPiece
from edgekit.runtime import fair
from edgekit.runtime.fair import GENERATED, READ, FairQueue
from edgekit.runtime.sampling import Sampler, SamplingParams
from edgekit.runtime.sequence import Sequence
from edgekit.runtime.text import TextStream
from tests.fake_engine import byte_tokenizer

TOKENIZER = byte_tokenizer()


def _sequence(caller: str = "", length: int = 4, batch: bool = False, share: str = "") -> Sequence:
    return Sequence(
        prompt=Prompt((TextPiece(tuple(range(length))),)),
        max_tokens=8,
        sampler=Sampler(SamplingParams(seed=0)),
        stream=TextStream(TOKENIZER, ()),
        submitted=0.0,
        caller=caller,
        share=share,
        batch=batch,
    )


def _queue(*callers: str, slots: int = 1, batch: bool = False) -> FairQueue:
    queue = FairQueue(slots)
    for caller in callers:
        queue.add(_sequence(caller, batch=batch))
    return queue


def _order(queue: FairQueue, read: int = 4, generated: int = 8) -> str:
    """The callers of all that wait, as they are admitted, each at the same cost."""
    order = ""
    while queue:
        sequence = queue.pop()
        order += sequence.caller
        queue.charge(sequence, read, generated)
    return order


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20))
def test_a_caller_alone_is_served_as_it_came_whatever_it_costs(costs: list[int]) -> None:
    queue = FairQueue(1)
    sequences = [_sequence() for _ in costs]
    for sequence in sequences:
        queue.add(sequence)
    order = []
    for cost in costs:
        order.append(queue.pop())
        queue.charge(order[-1], cost, cost)
    assert order == sequences
    assert not queue


def test_one_who_asks_much_waits_behind_his_own_questions() -> None:
    assert _order(_queue(*"aaaaabb", "c")) == "abcabaaa"


def test_whoever_comes_back_neither_owes_its_turn_nor_has_credit_for_the_time_away() -> None:
    queue = _queue(*"a" * 10)
    for _ in range(5):
        queue.charge(queue.pop(), 100, 100)
    for _ in range(3):
        queue.add(_sequence("b"))
    assert _order(queue, 100, 100) == "bababaaa"


def test_what_was_done_for_one_while_nobody_else_waited_is_not_held_against_it() -> None:
    queue = _queue("a")
    queue.charge(queue.pop(), 1000, 1000)
    for caller in "bbbaaa":
        queue.add(_sequence(caller))
    assert _order(queue) == "bababa"


def test_more_was_done_for_one_than_for_who_waits_so_it_waits() -> None:
    queue = _queue(*"abb")
    queue.charge(queue.pop(), 100, 0)
    queue.add(_sequence("a"))
    assert _order(queue, 60, 0) == "bba"


@pytest.mark.parametrize(("read", "generated", "following"), [(0, 0, "a"), (2, 0, "b"), (0, 1, "b")])
def test_every_token_read_or_generated_counts_and_one_reused_does_not(
    read: int, generated: int, following: str
) -> None:
    queue = _queue(*"aab")
    queue.charge(queue.pop(), read, generated)
    queue.charge(_sequence("b"), 1, 0)
    assert queue.pop().caller == following


def test_a_generated_token_costs_two_read_ones() -> None:
    queue = _queue(*"abab")
    first, second = queue.pop(), queue.pop()
    queue.charge(first, 5, 0)
    queue.charge(second, 0, 3)
    assert (first.caller, second.caller, queue.pop().caller) == ("a", "b", "a")


def test_batch_work_waits_for_all_else_and_is_shared_fairly_too() -> None:
    queue = _queue(*"ddde", batch=True)
    for caller in "ad":
        queue.add(_sequence(caller))
    queue.charge(_sequence("e"), 1000, 1000)  # what was done for it otherwise counts there alone
    assert _order(queue) == "addedd"


@pytest.mark.parametrize(("slots", "idle"), [(1, 1), (2, 2), (8, 2)])
def test_batch_work_leaves_a_slot_free_where_there_are_several(slots: int, idle: int) -> None:
    queue = _queue("a", slots=slots, batch=True)
    assert queue.idle_needed == idle
    queue.add(_sequence("a"))
    assert queue.idle_needed == 1


def test_leaving_takes_out_that_sequence_alone() -> None:
    queue = FairQueue(1)
    sequences = [_sequence("a") for _ in range(3)]
    for sequence in sequences:
        queue.add(sequence)
    queue.remove(sequences[1])
    assert queue.of("a") == [sequences[0], sequences[2]]
    assert (queue.of("b"), len(queue)) == ([], 2)
    assert [queue.pop(), queue.pop()] == [sequences[0], sequences[2]]
    assert len(queue) == 0


def test_those_of_one_share_have_together_what_one_caller_has() -> None:
    queue = FairQueue(1)
    for caller in "abc":
        queue.add(_sequence(caller, share="net"))
    queue.add(_sequence("z"))
    assert [sequence.caller for sequence in queue.of("b")] == ["b"]
    queue.remove(queue.of("b")[0])
    assert _order(queue) == "azc"


def test_a_copy_goes_its_own_way() -> None:
    queue = _queue(*"aabb")
    assert _order(queue.copy()) == _order(queue.copy()) == "abab"
    assert len(queue) == 4


def test_counters_of_callers_long_gone_are_dropped_but_never_of_one_that_waits() -> None:
    queue = _queue("waits", slots=2)
    for number in range(3 * fair.KEPT_CALLERS):
        other = _sequence(str(number))
        queue.add(other)
        queue.remove(other)
        queue.charge(other, 1, 1)
    interactive, _ = queue._tiers
    assert len(interactive.accounts) <= fair.KEPT_CALLERS + 2
    assert interactive.accounts.keys() >= {"waits", other.caller}
    assert queue.pop().caller == "waits"


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=2, max_size=4),
    slots=st.integers(1, 4),
)
def test_callers_that_always_have_more_to_ask_get_equally_much(sizes: list[tuple[int, int]], slots: int) -> None:
    """The paper's theorem: two such callers differ by at most twice max(READ × prompt, GENERATED × batch)."""
    queue, cost = FairQueue(slots), {str(number): 0 for number in range(len(sizes))}
    for caller in cost:
        for _ in range(100 * slots):
            queue.add(_sequence(caller))
    running: list[tuple[Sequence, int]] = []
    bound = 2 * max(READ * max(read for read, _ in sizes), GENERATED * slots * max(answer for _, answer in sizes))
    for _ in range(100):
        while len(running) < slots:
            sequence = queue.pop()
            read, answer = sizes[int(sequence.caller)]
            queue.charge(sequence, read, 0)
            cost[sequence.caller] += READ * read
            running.append((sequence, answer))
        for sequence, _ in running:
            queue.charge(sequence, 0, 1)
            cost[sequence.caller] += GENERATED
        running = [(sequence, left - 1) for sequence, left in running if left > 1]
        assert max(cost.values()) - min(cost.values()) <= bound
