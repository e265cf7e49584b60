"""What is said of whoever comes, of the service, and of what has been looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit import __version__
from edgekit.serve.ward import desk as desks
from tests.asgi import on_loop
from tests.browser import Browser
from tests.toy_service import toy


@on_loop
async def test_the_service_is_described_to_whoever_comes(state: Path) -> None:
    async with toy(state=state) as running:
        facts = (await Browser(running.app).get("/api/session")).json()["service"]
        assert facts == {
            "model": "toy",
            "notice": running.service.manifest.spec.intended_use,
            "bundle": running.service.model.bundle.digest,
            "images": running.service.limits.images,
            "version": __version__,
            "dicom": True,
            "slots": 2,
            "languages_of_model": ["en"],
        }


@on_loop
async def test_a_look_is_new_again_after_a_while_and_for_each(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with toy(state=state) as running:
        desk = running.desk
        assert [desk.looks_again("anna", "p") for _ in range(3)] == [True, False, False]
        assert desk.looks_again("ben", "p")
        monkeypatch.setattr(desks, "LOOK_S", 0.0)
        assert desk.looks_again("anna", "p")
        monkeypatch.setattr(desks, "LOOK_S", 600.0)
        monkeypatch.setattr(desks, "MOST_LOOKS", 1)
        assert desk.looks_again("carla", "p")
        assert desk.looks_again("ben", "p"), "the oldest made way"


@on_loop
async def test_what_is_forgotten_is_decoded_again(state: Path) -> None:
    async with toy(state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        picture = (await page.post(f"{path}/images", b"\x05")).json()["id"]
        await page.ask(path, images=[picture])
        await page.ask(path)
        assert running.decoded == [b"\x05"]
        running.desk.forget("this machine")
        await page.ask(path)
        assert running.decoded == [b"\x05"] * 2
