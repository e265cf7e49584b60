"""What a service answered, to several at once and with what it remembered, is given again alone and is the same."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from edgekit.ward.keys import master_key
from edgekit.ward.ward import Ward
from tests.commands import run
from tests.embedded_bundles import EmbeddedBundles
from tests.serve_process import Process, process
from tests.served import png
from tests.wards import Picture

OWNER = "this machine"


@pytest.fixture(scope="module")
def bundle(embedded_as: EmbeddedBundles) -> Path:
    return embedded_as("q4").path


@pytest.fixture
def running(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path / "site"))
    monkeypatch.setenv("EDGEKIT_STATE", str(tmp_path / "site" / "state"))
    with process(bundle, "--slots", "4", site=tmp_path / "site") as running:
        yield running


class Page:
    """A conversation on the page, without its looks."""

    def __init__(self, running: Process, state: Path) -> None:
        self._client = httpx.Client(base_url=f"{running.url}api/", timeout=60)
        self._state = state
        self.id = self._client.post("conversations", json={}).json()["id"]

    def add(self, seed: int) -> str:
        """A picture of noise, as an upload becomes one."""
        with Ward.open(self._state, master_key(self._state)) as ward:
            return ward.pictures.add(OWNER, self.id, Picture(png(seed))).id

    def ask(self, text: str, *images: str, **fields: Any) -> dict[str, Any]:
        body = {"text": text, "images": list(images), "stream": False, **fields}
        answer = self._client.post(f"conversations/{self.id}/messages", json=body)
        assert answer.status_code == 200, answer.text
        turn: dict[str, Any] = answer.json()
        return turn

    def stop(self, text: str, **fields: Any) -> dict[str, Any]:
        """Ask, and stop the answer when some of it has come."""
        path = f"conversations/{self.id}/messages"
        with self._client.stream("POST", path, json={"text": text, **fields}) as answer:
            events = iter(answer.iter_lines())
            id = next(json.loads(line[5:])["id"] for line in events if line.startswith("data:"))
            next(line for line in events if line == "event: text")
            assert self._client.delete(f"{path}/{id}").status_code == 204
            for _ in events:
                pass
        turns = self._client.get(f"conversations/{self.id}").json()["turns"]
        return next(turn for turn in turns if turn["id"] == id)

    def delete(self) -> None:
        assert self._client.delete(f"conversations/{self.id}").status_code == 204

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def pages(running: Process, tmp_path: Path) -> Iterator[list[Page]]:
    pages = [Page(running, tmp_path / "site" / "state") for _ in range(3)]
    yield pages
    for page in pages:
        page.close()


def replayed(turn: str, bundle: Path, ends: int = 0) -> dict[str, Any]:
    document: dict[str, Any] = run("audit", "replay", turn, str(bundle), codes=(ends,))
    return document


def test_every_answer_of_a_service_is_the_same_again(pages: list[Page], bundle: Path, tmp_path: Path) -> None:
    turns: list[dict[str, Any]] = []

    def talk(page: Page, number: int) -> None:
        picture = page.add(number)
        turns.append(page.ask("Is the heart enlarged?", picture, max_tokens=12))
        turns.append(page.ask("Where is the nodule?", temperature=1.5, max_tokens=16))
        turns.append(page.ask("And here?", page.add(number + 10), picture, temperature=0.7, seed=number, max_tokens=16))

    threads = [threading.Thread(target=talk, args=(page, number)) for number, page in enumerate(pages)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stopped = pages[0].stop("Describe everything.", temperature=2.0, max_tokens=200)
    after = pages[0].ask("What is it?", max_tokens=8)
    assert (len(turns), after["state"]) == (9, "whole")
    assert stopped["state"] in ("stopped", "whole"), "it may have ended just before"
    for turn in (*turns, stopped, after):
        again = replayed(turn["id"], bundle)
        assert (again["verdict"], again["tokens"]) == ("equal", turn["tokens"]), again
    other = Path(shutil.copytree(bundle, tmp_path / "other"))
    assert replayed(turns[0]["id"], other)["verdict"] == "equal", "wherever it lies"
    pages[0].delete()
    gone = replayed(after["id"], bundle, ends=1)
    assert (gone["verdict"], gone["code"]) == ("unknown", "deleted")
    assert "deleted, at 20" in gone["explanation"]
    assert run("audit", "verify")["ok"]
