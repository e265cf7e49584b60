"""Who reads an answer while it is written is somebody who still may."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgekit.serve.ward import reader
from edgekit.ward.keys import master_key
from edgekit.ward.ward import Ward
from tests.asgi import on_loop, until
from tests.browser import PASSWORD, Browser, account, end_of, told
from tests.toy_service import TEXT, Talking, Toy, toy

NEW = {"old": PASSWORD, "new": "a longer walk to the hills"}


def disable(running: Toy) -> None:
    """Disable the account, as a command at a terminal does."""
    state = running.desk.keeper.state
    with Ward.open(state, master_key(state)) as ward:
        ward.accounts.disable(ward.accounts.named("anna"))


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        (("POST", "/api/session/lock", None), "session_locked"),
        (("DELETE", "/api/session", None), "sign_in_needed"),
        (("POST", "/api/password", NEW), "sign_in_needed"),
        (None, "sign_in_needed"),
    ],
)
@on_loop
async def test_who_is_let_in_no_more_reads_no_further(
    state: Path, monkeypatch: pytest.MonkeyPatch, ending: tuple[str, str, Any] | None, code: str
) -> None:
    monkeypatch.setattr(reader, "LOOK_S", 0.0)
    account(state)
    engine = Talking(held=True)
    async with toy(engine, state=state) as running:
        page = Browser(running.app)
        await page.sign_in("anna")
        path = await page.begin_conversation()
        asking = page.begin("POST", f"{path}/messages", {"text": "What is it?"})
        engine.let(4)
        await until(lambda: "text" in dict(told(asking)))
        if ending is None:
            disable(running)
        else:
            assert (await page.send(*ending)).status == 204
        engine.go()
        await asking.done()
        names = [name for name, _ in told(asking)]
        assert (names[-1], told(asking)[-1][1]["code"]) == ("failure", code)
        assert TEXT not in asking.body.decode()


@on_loop
async def test_who_stays_signed_in_reads_on(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "LOOK_S", 0.0)
    account(state)
    async with toy(state=state) as running:
        page = Browser(running.app)
        await page.sign_in("anna")
        assert end_of(await page.ask(await page.begin_conversation()))["answer"] == TEXT
