"""Passwords: Argon2id at the cost that was chosen, one at a time, and as slow for nobody's."""

from __future__ import annotations

import threading
import time
from unittest import mock

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type

from edgekit.errors import InputError
from edgekit.ward import passwords
from edgekit.ward.passwords import hash_password, matches, require_good


def test_the_cost_is_the_one_that_was_chosen_for_nobody_too() -> None:
    for kept in (hash_password("correct horse"), passwords._NOBODY):
        cost = extract_parameters(kept)
        assert (cost.type, cost.memory_cost, cost.time_cost, cost.parallelism) == (Type.ID, 19 * 1024, 2, 1)


def test_a_password_matches_its_own_alone() -> None:
    kept = hash_password("cafe\u0301 crème au lait")
    assert kept != hash_password("cafe\u0301 crème au lait")
    assert matches(kept, "caf\u00e9 crème au lait"), "typed on another keyboard"
    assert not matches(kept, "cafe crème au lait")
    assert not matches(None, "")
    assert not matches("damaged", "x")
    assert not matches(kept, "\udcff" * 100_000)


def test_nobody_takes_as_long_as_anybody() -> None:
    hasher = mock.Mock(wraps=passwords._HASHER)
    with mock.patch.object(passwords, "_HASHER", hasher):
        matches(None, "x")
        matches(hash_password("y"), "x")
    assert hasher.verify.call_count == 2


def test_one_at_a_time() -> None:
    running, most = [0], [0]

    class Slow:
        def verify(self, kept: str, password: bytes) -> None:
            running[0] += 1
            most[0] = max(most[0], running[0])
            time.sleep(0.01)
            running[0] -= 1

    with mock.patch.object(passwords, "_HASHER", Slow()):
        threads = [threading.Thread(target=matches, args=("k", "p")) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert most == [1]


@pytest.mark.parametrize(
    ("password", "word"),
    [
        ("", "too short: it has 0"),
        ("a" * 9, "too short"),
        ("é" * 257, "too long"),
        ("aaaaaaaaaaaa", "guessed"),
        ("Ada.LovelaceAda.Lovelace", "guessed"),
        ("ada.lovelace1", "guessed"),
    ],
)
def test_one_that_is_guessed_at_once_is_refused(password: str, word: str) -> None:
    with pytest.raises(InputError, match=word) as caught:
        require_good(password, "Ada.Lovelace")
    assert caught.value.hint
    assert password not in caught.value.message or not password


@pytest.mark.parametrize("password", ["correct horse", "ẹ̀kọ́ dára púpọ̀", "密码是一个很长的句子", "x" * 3 + "yzab" * 60])
def test_any_letters_will_do(password: str) -> None:
    require_good(password, "Ada.Lovelace")
