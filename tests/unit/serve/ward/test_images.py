"""Pictures as a page sends and sees them: only what the child makes of a file is kept."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from edgekit.serve.settings import Keep, Settings
from tests.asgi import on_loop
from tests.browser import Browser, end_of
from tests.toy_service import toy


@on_loop
async def test_a_picture_is_taken_and_shown(state: Path) -> None:
    async with toy(state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        added = await page.post(f"{path}/images", b"\x05")
        assert added.status == 201
        picture = added.json()
        assert picture == {
            "id": picture["id"],
            "width": 4,
            "height": 3,
            "frames": 1,
            "bits": 8,
            "colour": False,
            "facts": {"modality": "CR", "body_part": "CHEST"},
            "notes": ["A note."],
            "warnings": ["burned_in"],
        }
        assert (await page.get(path)).json()["images"] == [picture]
        shown = await page.get(f"{path}/images/{picture['id']}?side=160&frame=0")
        assert (shown.headers["content-type"], shown.body) == ("image/png", b"PNG of \x05")
        assert shown.headers["cache-control"] == "no-store"
        assert shown.headers["x-content-type-options"] == "nosniff"
        assert (await page.post(f"{path}/images", b"\x05")).json()["id"] == picture["id"], "the same is one"


@pytest.mark.parametrize("packed", [False, True])
@on_loop
async def test_the_numbers_of_a_frame_are_sent_as_they_are(state: Path, packed: bool) -> None:
    async with toy(state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        picture = (await page.post(f"{path}/images", b"\x05")).json()["id"]
        headers = {"accept-encoding": "br, gzip;q=0.5"} if packed else {}
        sent = await page.get(f"{path}/images/{picture}/pixels?frame=0", headers=headers)
        assert sent.headers["content-type"] == "application/octet-stream"
        body = gzip.decompress(sent.body) if packed else sent.body
        assert body == b"\x05\x00" * 12
        facts = json.loads(sent.headers["x-picture"])
        assert (facts["width"], facts["height"], facts["width_of_window"]) == (4, 3, 400.0)
        colour = (await page.post(f"{path}/images", b"c")).json()["id"]
        sent = await page.get(f"{path}/images/{colour}/pixels", headers=headers)
        assert (sent.headers["content-type"], sent.body) == ("image/png", b"PNG of c")


@on_loop
async def test_what_is_masked_takes_the_place_of_what_it_was_unless_that_was_asked_about(state: Path) -> None:
    async with toy(state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        plain = (await page.post(f"{path}/images", b"\x05")).json()["id"]
        masked = await page.post(f"{path}/images/{plain}/mask", {"rectangles": [[0, 1, 2, 2]]})
        assert masked.status == 201
        assert [each["id"] for each in (await page.get(path)).json()["images"]] == [masked.json()["id"]]
        await page.ask(path, images=[masked.json()["id"]])
        again = (await page.post(f"{path}/images/{masked.json()['id']}/mask", {"rectangles": [[0, 0, 1, 1]]})).json()
        ids = [each["id"] for each in (await page.get(path)).json()["images"]]
        assert ids == [masked.json()["id"], again["id"]]
        for rectangles in ([], [[0, 0, 0, 1]], [[0, 0, 1]], [[0, 0, 1, 1]] * 65, [["<b>", 0, 1, 1]]):
            call = await page.post(f"{path}/images/{again['id']}/mask", {"rectangles": rectangles})
            call.error(400, "invalid_value")


@on_loop
async def test_a_picture_goes_unless_a_question_was_asked_about_it(state: Path) -> None:
    async with toy(state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        used, unused = [(await page.post(f"{path}/images", bytes([shade]))).json()["id"] for shade in (5, 6)]
        assert end_of(await page.ask(path, images=[used]))["pictures"] == [used]
        (await page.send("DELETE", f"{path}/images/{used}")).error(409, "in_use")
        assert (await page.send("DELETE", f"{path}/images/{unused}")).status == 204
        (await page.get(f"{path}/images/{unused}")).error(404, "not_found")


@on_loop
async def test_what_is_no_picture_or_too_large_is_refused_and_nothing_of_it_kept(state: Path) -> None:
    async with toy(state=state, image_bytes=10, body_bytes=20, bodies_bytes=100) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        for content, status, code in (
            (b"?", 415, "image_not_read"),
            (b"", 400, "no_picture"),
            (b"x" * 11, 413, "image_too_large"),
            (b"x" * 21, 413, "request_too_large"),
        ):
            (await page.post(f"{path}/images", content)).error(status, code)
        assert (await page.get(path)).json()["images"] == []
        for query in ("side=-1", "side=99999", "frame=x", "frame="):
            (await page.get(f"{path}/images/x?{query}")).error(400, "invalid_value")
        assert not list(Path(state / "pictures").rglob("*")) if (state / "pictures").exists() else True


@on_loop
async def test_there_is_no_place_for_more_than_may_be_kept(state: Path) -> None:
    async with toy(settings=Settings(keep=Keep(pictures=1)), state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        await page.post(f"{path}/images", b"\x05")
        (await page.post(f"{path}/images", b"\x06")).error(409, "too_many_kept")
        (before,) = (await page.get(path)).json()["images"]
        marked = {"rectangles": [[0, 0, 1, 1]]}
        masked = (await page.post(f"{path}/images/{before['id']}/mask", marked)).json()["id"]
        await page.ask(path, images=[masked])
        (await page.post(f"{path}/images/{masked}/mask", marked)).error(409, "too_many_kept")
    async with toy(settings=Settings(keep=Keep(disk_bytes=1)), state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        (await page.post(f"{path}/images", b"\x05")).error(507, "disk_full")
        assert (await page.ask(path)).status == 200, "questions are small"


@on_loop
async def test_that_a_picture_is_looked_at_is_noted_once_in_a_while(state: Path) -> None:
    async with toy(state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        picture = (await page.post(f"{path}/images", b"\x05")).json()["id"]
        for frame in range(5):
            await page.get(f"{path}/images/{picture}?frame={frame}")
        lines = "".join(file.read_text() for file in (state / "audit").glob("*.jsonl"))
        assert lines.count('"picture_viewed"') == 1
        assert lines.count('"picture_added"') == 1
