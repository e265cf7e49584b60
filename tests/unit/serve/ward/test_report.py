"""The code on a report: a head of the audit, in a picture that runs and loads nothing."""

from __future__ import annotations

import re
from pathlib import Path

from edgekit.serve.ward.report import svg
from edgekit.ward.audit import Head
from tests.asgi import on_loop
from tests.browser import Browser
from tests.toy_service import toy


def test_a_code_is_a_picture_and_nothing_else() -> None:
    picture = svg(f"12:{'a' * 64}").decode()
    assert picture.startswith("<svg ")
    assert 'xmlns="http://www.w3.org/2000/svg"' in picture
    assert set(re.findall(r"<(/?\w+)", picture)) <= {"svg", "/svg", "path", "/path"}
    assert not re.search(r"style|script|href|on\w+=", picture)
    assert svg("12:b") != svg("12:c")


@on_loop
async def test_it_holds_the_head_of_the_line_that_says_so(state: Path) -> None:
    async with toy(state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        shown = await page.get(f"{path}/qr")
        assert (shown.status, shown.headers["content-type"]) == (200, "image/svg+xml")
        assert "default-src 'none'" in shown.headers["content-security-policy"]
        lines = "".join(file.read_text() for file in (state / "audit").glob("*.jsonl")).splitlines()
        assert '"event":"printed"' in lines[-1]
        head = Head(len(lines), re.findall(r'"mac":"([0-9a-f]{64})"', lines[-1])[0])
        assert shown.body == svg(str(head))
        (await page.get("/api/conversations/x/qr")).error(404, "not_found")
