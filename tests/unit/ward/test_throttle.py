"""Guessing is slow, and nobody can lock another out."""

from __future__ import annotations

import pytest

from edgekit.ward import throttle as module
from edgekit.ward.throttle import Throttle

HERE, THERE, PROXY = "192.0.2.1", "198.51.100.7", "10.0.0.2"


class Time:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def throttle(time: Time) -> Throttle:
    return Throttle(time)


def guess(throttle: Throttle, time: Time, seconds: float, name: str, address: str, device: str = "") -> int:
    """Guess as fast as is allowed for a while; how many guesses that were."""
    guesses, end_s = 0, time.now_s + seconds
    while time.now_s < end_s:
        wait_s = throttle.wait_s(name, address, device)
        if wait_s:
            time.now_s += wait_s
            continue
        throttle.failed(name, address, device)
        guesses += 1
        time.now_s += 0.1
    return guesses


def guess_everywhere(throttle: Throttle, name: str) -> None:
    """Guess once from each of many addresses."""
    for number in range(16):
        throttle.failed(name, f"203.0.113.{number}")


def test_a_few_mistakes_cost_nothing(throttle: Throttle) -> None:
    for _ in range(3):
        assert throttle.wait_s("ada", HERE) == 0
        throttle.failed("ada", HERE)
    assert throttle.wait_s("ada", HERE) == 0
    throttle.failed("ada", HERE)
    assert throttle.wait_s("ada", HERE) == 1


def test_the_delay_grows_and_never_closes(throttle: Throttle, time: Time) -> None:
    waits = []
    for _ in range(40):
        throttle.failed("ada", HERE)
        waits.append(throttle.wait_s("ada", HERE))
        time.now_s += waits[-1]
        assert throttle.wait_s("ada", HERE) == 0
    assert waits[3:14] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900]
    assert max(waits) == 900


def test_a_day_of_guessing_comes_to_little(throttle: Throttle, time: Time) -> None:
    assert guess(throttle, time, 86_400, "ada", HERE) < 120


def test_many_addresses_are_slow_too(throttle: Throttle, time: Time) -> None:
    guesses = 0
    for number in range(2000):
        if throttle.wait_s("ada", f"203.0.113.{number}") == 0:
            throttle.failed("ada", f"203.0.113.{number}")
            guesses += 1
        time.now_s += 1
    assert guesses < 100


def test_another_account_behind_the_same_address_waits_seconds_at_most(throttle: Throttle, time: Time) -> None:
    guess(throttle, time, 3600, "ada", PROXY)
    for number in range(200):
        throttle.failed(f"name{number}", PROXY)
    assert throttle.wait_s("bo", PROXY) <= 5
    time.now_s += 5
    assert throttle.wait_s("bo", PROXY) == 0
    throttle.passed("bo", PROXY)
    assert throttle.wait_s("cy", PROXY) == 0, "a right password clears its address"
    throttle.failed("ada", PROXY)
    assert throttle.wait_s("ada", PROXY) > 5, "and not what is guessed at"


def test_an_account_that_is_guessed_at_from_elsewhere_is_open_to_its_own(throttle: Throttle, time: Time) -> None:
    for number in range(500):
        throttle.failed("ada", f"203.0.113.{number}")
    assert 0 < throttle.wait_s("ada", HERE) <= 30
    assert throttle.wait_s("ada", HERE, device="a session's secret") == 0
    throttle.passed("ada", HERE, device="a session's secret")
    assert throttle.wait_s("ada", THERE) > 0, "who guesses is not let off by it"
    time.now_s += 30
    assert throttle.wait_s("ada", HERE) == 0


def test_a_device_that_was_stolen_guesses_no_faster(throttle: Throttle, time: Time) -> None:
    assert guess(throttle, time, 3600, "ada", HERE, "secret") < 80
    assert throttle.wait_s("ada", HERE) == 0


def test_a_right_password_forgets_the_wrong_ones_of_its_own(throttle: Throttle) -> None:
    for _ in range(8):
        throttle.failed("ada", HERE)
    throttle.passed("ADA", HERE)
    assert throttle.wait_s("ada", HERE) == 0
    for _ in range(2):
        throttle.failed("ada", THERE)
    assert throttle.wait_s("ada", THERE) == 1, "the account's count went on"


def test_where_somebody_signed_in_before_nobody_elsewhere_shuts_him_out(throttle: Throttle, time: Time) -> None:
    throttle.passed("ada", HERE)
    guess_everywhere(throttle, "ada")
    assert throttle.wait_s("ada", HERE) == 0
    assert throttle.wait_s("ada", PROXY) > 0, "elsewhere it is as slow as before"
    assert throttle.wait_s("bo", HERE) == 0
    assert guess(throttle, time, 86_400, "ada", HERE) < 1600


def test_so_many_places_are_remembered(throttle: Throttle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 3)
    for name in ("ada", "bo", "cy", "ada", "dee"):
        throttle.passed(name, HERE)
    monkeypatch.undo()
    for name in ("ada", "bo"):
        guess_everywhere(throttle, name)
    assert throttle.wait_s("ada", HERE) == 0 < throttle.wait_s("bo", HERE)


def test_old_mistakes_are_forgotten(throttle: Throttle, time: Time) -> None:
    for _ in range(12):
        throttle.failed("ada", HERE)
    time.now_s += 3601
    assert throttle.wait_s("ada", HERE) == 0
    throttle.failed("ada", HERE)
    assert throttle.wait_s("ada", HERE) == 0


def test_memory_has_an_end_and_holds_no_name(throttle: Throttle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 50)
    for number in range(1000):
        throttle.failed(f"my password {number}", HERE)
    assert len(throttle._counts) == 50
    assert "password" not in repr(throttle._counts)
