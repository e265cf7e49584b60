"""What is made ahead: in its order, one at a time, no more of it than is wanted next."""

from __future__ import annotations

import threading

import pytest

from edgekit.batch.ahead import ahead


def test_results_come_in_their_order() -> None:
    assert list(ahead(range(5), lambda number: number * number)) == [0, 1, 4, 9, 16]
    assert not list(ahead([], str))


def test_the_next_one_is_made_meanwhile_and_no_other() -> None:
    second, wanted = threading.Event(), list[int]()

    def make(number: int) -> int:
        wanted.append(number)
        if number == 1:
            second.set()
        return number

    made = ahead(range(9), make)
    assert next(made) == 0
    assert second.wait(30)
    made.close()
    assert wanted == [0, 1]


def test_it_is_made_elsewhere_and_one_at_a_time() -> None:
    threads = set(ahead(range(5), lambda _: threading.current_thread().name))
    assert len(threads) == 1
    assert threading.current_thread().name not in threads


def test_what_is_wrong_with_one_is_told_in_its_place() -> None:
    made = ahead((2, 1, 0), lambda number: 2 // number)
    assert [next(made), next(made)] == [1, 2]
    with pytest.raises(ZeroDivisionError):
        next(made)
