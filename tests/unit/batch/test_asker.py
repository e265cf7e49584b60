"""One row asked with patience: what passes is waited for, and all waiting has an end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edgekit.batch.address import address
from edgekit.batch.answer import Answer
from edgekit.batch.asker import Asker
from edgekit.batch.patience import Patience
from edgekit.batch.pictures import digest
from edgekit.batch.rows import Row
from edgekit.errors import EdgeKitError
from edgekit.runtime import SamplingParams
from tests.unit.batch.scripted import Act, Scripted, drop, echo, refuse, scripted, send, stream

QUICK = Patience(first_s=0.001, most_s=0.002, told_s=0.01, losses=3)
ANSWER = Answer(text="Why?", reason="stop", tokens=3, seed=5, notes=("Bright.",))


def row(folder: Path, *images: str) -> Row:
    return Row(1, "Why?", images, folder)


@contextmanager
def asking(
    *acts: Act, models: Act | None = None, patience: Patience = QUICK, token: str | None = None
) -> Iterator[tuple[Asker, Scripted]]:
    with scripted(*acts, models=models) as server:
        asker = Asker(address(server.url, token), "m", SamplingParams(seed=9), patience)
        try:
            yield asker, server
        finally:
            asker.close()


def test_a_row_has_its_answer_with_what_its_pictures_were(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    with asking(echo) as (asker, server):
        answer = asker.answer(row(tmp_path, "a.png"))
    assert answer == Answer(
        sha256=(digest(b"\x89PNG"),), text="Why?", reason="stop", tokens=3, seed=5, notes=("Bright.",)
    )
    ((_, _, document),) = server.asked
    assert document["service_tier"] == "flex"
    assert document["seed"] == 9


def test_a_seed_that_is_not_told_is_the_one_that_was_asked_for(tmp_path: Path) -> None:
    with asking(stream({"choices": [{"delta": {"content": "x"}, "finish_reason": "stop"}]})) as (asker, _):
        assert asker.answer(row(tmp_path)) == Answer(text="x", reason="stop", seed=9)


def test_a_missing_picture_is_not_asked_about(tmp_path: Path) -> None:
    with asking(echo) as (asker, server):
        answer = asker.answer(row(tmp_path, "lost.png"))
    assert answer is not None
    assert answer.error == "There is no file lost.png. Put it there, and ask again."
    assert not server.asked


@pytest.mark.parametrize(
    "acts",
    [
        [refuse(503, retry_after="0"), refuse(503, retry_after="0")],
        [refuse(429, retry_after="9999999")],
        [refuse(408), refuse(502), refuse(504)],
        [drop, stream({"choices": [{"delta": {"content": "W"}}]}, end=False)],
        [drop, drop, refuse(503), drop, drop, refuse(503)],
        [stream({"choices": [{"delta": {"content": "W"}}]}, {"error": {"message": "x", "code": "service_stopping"}})],
    ],
)
def test_what_passes_is_waited_for(acts: list[Act], tmp_path: Path) -> None:
    with asking(*acts, echo) as (asker, server):
        assert asker.answer(row(tmp_path)) == ANSWER
    assert len(server.asked) == len(acts) + 1


def test_what_is_wrong_with_a_row_is_that_row_s(tmp_path: Path) -> None:
    with asking(refuse(400), echo) as (asker, _):
        assert asker.answer(row(tmp_path)) == Answer(error="No: 400.")
        assert asker.answer(row(tmp_path)) == ANSWER


def test_a_row_at_which_the_server_ends_each_time_is_given_up_and_others_go_on(tmp_path: Path) -> None:
    with asking(drop, drop, drop, echo) as (asker, server):
        answer = asker.answer(row(tmp_path))
        assert answer is not None
        assert answer.error is not None
        assert answer.error.startswith("The connection was lost each time: ")
        assert len(server.asked) == 3
        assert asker.answer(row(tmp_path)) == ANSWER


def test_a_server_that_has_gone_ends_the_run(tmp_path: Path) -> None:
    with (
        asking(drop, models=drop) as (asker, server),
        pytest.raises(EdgeKitError, match="can't be reached any more") as caught,
    ):
        asker.answer(row(tmp_path))
    assert "goes on" in caught.value.hint
    assert len(server.asked) == 3


def test_waiting_for_a_place_has_an_end(tmp_path: Path) -> None:
    patience = Patience(first_s=0.01, most_s=0.01, busy_s=0.05)
    with (
        asking(refuse(503), patience=patience) as (asker, server),
        pytest.raises(EdgeKitError, match="has had no place"),
    ):
        asker.answer(row(tmp_path))
    assert 2 <= len(server.asked) <= 8


@pytest.mark.parametrize(
    ("status", "token", "message", "hint"),
    [
        (401, None, "does not let us in: No: 401", "EDGEKIT_TOKEN"),
        (403, "ek-1", "does not let us in: No: 403", "Check the token"),
        (404, None, "does not answer: No: 404", "--model"),
    ],
)
def test_what_every_row_would_be_told_ends_the_run(
    status: int, token: str | None, message: str, hint: str, tmp_path: Path
) -> None:
    with asking(refuse(status), token=token) as (asker, _), pytest.raises(EdgeKitError, match=message) as caught:
        asker.answer(row(tmp_path))
    assert hint in caught.value.hint


def test_stopping_ends_the_waiting(tmp_path: Path) -> None:
    with asking(refuse(503, retry_after="60"), patience=Patience()) as (asker, server):
        answers: list[Answer | None] = []
        thread = threading.Thread(target=lambda: answers.append(asker.answer(row(tmp_path))))
        thread.start()
        while not server.asked:
            thread.join(0.01)
        asker.stop()
        thread.join(10)
        assert answers == [None]


def test_an_answer_without_an_end_is_an_error(tmp_path: Path) -> None:
    with asking(send(200, {"choices": []})) as (asker, _):
        assert asker.answer(row(tmp_path)) == Answer(error="The server's answer has no end")
