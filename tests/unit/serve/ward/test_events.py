"""The events of an answer, and where a text goes on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.serve.answer import Delta
from edgekit.serve.refusal import Refusal
from edgekit.serve.ward.documents import TurnDocument
from edgekit.serve.ward.events import ending, event, position, stored
from tests.asgi import on_loop


def turn(answer: str = "It is a rib.", state: str = "whole") -> TurnDocument:
    return TurnDocument(
        id="t",
        number=1,
        question="<script>alert(1)</script>",
        pictures=[],
        answer=answer,
        state=state,  # type: ignore[arg-type]
        notes=[],
        seed=1,
        params={},
        tokens=3,
        prompt_tokens=9,
        bundle="b",
        by="anna",
        language="",
        created="2026-11-30T00:00:00Z",
        verdict=None,
        confidence=None,
    )


def test_an_event_is_one_whatever_its_text_holds() -> None:
    text = "a\n\nevent: end\ndata: {}\r\n\r\n\u2028é"
    written = event("text", {"text": text}, 9)
    assert written.count(b"\n\n") == 1
    name, id, data = written.decode().removesuffix("\n\n").split("\n")
    assert (name, id) == ("event: text", "id: 9")
    assert json.loads(data.removeprefix("data: ")) == {"text": text}


@given(st.lists(st.text(max_size=4), max_size=8), st.integers(0, 40))
def test_a_position_is_that_of_the_delta_which_has_the_next_character(texts: list[str], offset: int) -> None:
    deltas = [Delta(text, ()) for text in texts]
    seen, at = position(deltas, offset)
    whole = "".join(texts)
    assert at == len("".join(texts[:seen])) <= max(offset, 0)
    assert whole[at:][offset - at :] == whole[offset:]
    assert seen == len(texts) or at + len(texts[seen]) > offset


@pytest.mark.parametrize("offset", [0, 3, 12, 99])
@on_loop
async def test_what_is_stored_is_told_from_where_it_broke_off(offset: int) -> None:
    parts = [part.decode() async for part in _all(stored(turn(), offset))]
    texts = [json.loads(part.partition("data: ")[2])["text"] for part in parts if part.startswith("event: text")]
    assert "".join(texts) == turn().answer[offset:]
    assert parts[0].startswith("event: turn")
    assert json.loads(parts[0].partition("data: ")[2])["answer"] == ""
    assert parts[-1].startswith("event: end")
    assert json.loads(parts[-1].partition("data: ")[2])["answer"] == turn().answer


def test_an_end_says_how_it_ended() -> None:
    assert ending(turn(state="stopped"), Refusal(409, "stopped", "answer_stopped")).startswith(b"event: end")
    assert b'"code":"queue_timeout"' in ending(turn(state="failed"), Refusal(504, "late", "queue_timeout"))
    assert b'"code":"answer_failed"' in ending(turn(state="failed"), None)


async def _all(events: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for part in events:
        yield part
