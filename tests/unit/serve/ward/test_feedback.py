"""A doctor's word on an answer: kept apart for each, replaced by the next, and only on what has an answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.asgi import on_loop
from tests.browser import Browser, end_of
from tests.toy_service import toy


@on_loop
async def test_the_last_word_counts(state: Path) -> None:
    async with toy(state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        turn = end_of(await page.ask(path))["id"]
        for word, kept in (
            ({"verdict": "right"}, {"verdict": "right", "answer": ""}),
            ({"verdict": "answer", "answer": " <b>a rib</b> "}, {"verdict": "answer", "answer": "<b>a rib</b>"}),
            ({"verdict": "wrong"}, {"verdict": "wrong", "answer": ""}),
        ):
            assert (await page.post("/api/feedback", {"turn": turn, **word})).status == 204
            assert (await page.get(path)).json()["turns"][0]["verdict"] == kept
        lines = "".join(file.read_text() for file in (state / "audit").glob("*.jsonl"))
        assert lines.count('"feedback"') == 3
        assert "a rib" not in lines


@pytest.mark.parametrize(
    ("word", "status"),
    [({"verdict": "maybe"}, 400), ({"verdict": "answer"}, 400), ({"verdict": "right", "turn": "x"}, 404), ({}, 400)],
)
@on_loop
async def test_what_is_no_word_is_refused(state: Path, word: dict[str, str], status: int) -> None:
    async with toy(state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        turn = end_of(await page.ask(path))["id"]
        assert (await page.post("/api/feedback", {"turn": turn, **word})).status == status
