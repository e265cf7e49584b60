"""Pictures to try: listed and handed out where there are some; elsewhere there are none, which is no error."""

from __future__ import annotations

import pytest

from edgekit.serve.sample import Sample
from tests.asgi import get, on_loop
from tests.toy_service import toy

SAMPLES = (Sample("phantom-1", "Is the heart enlarged?", b"one"), Sample("phantom-2", "What is it?", b"two"))


@on_loop
async def test_they_are_listed_with_their_questions_and_each_is_a_png() -> None:
    async with toy() as running:
        running.service.samples = SAMPLES
        listed = await get(running.app, "/api/samples")
        assert listed.status == 200
        assert listed.json() == {
            "samples": [
                {"name": "phantom-1", "question": "Is the heart enlarged?"},
                {"name": "phantom-2", "question": "What is it?"},
            ]
        }
        picture = await get(running.app, "/api/samples/phantom-2")
        assert (picture.status, picture.body, picture.headers["content-type"]) == (200, b"two", "image/png")
        for answer in (listed, picture):
            assert answer.headers["cache-control"] == "no-store"


@on_loop
async def test_a_service_without_any_says_so_without_an_error() -> None:
    async with toy() as running:
        listed = await get(running.app, "/api/samples")
        assert (listed.status, listed.json()) == (200, {"samples": []})


@pytest.mark.parametrize("name", ["phantom-3", "..%2fphantom-1", "phantom-1%00"])
@on_loop
async def test_what_is_no_sample_is_not_there(name: str) -> None:
    async with toy() as running:
        running.service.samples = SAMPLES
        (await get(running.app, f"/api/samples/{name}")).error(404, "not_found")
