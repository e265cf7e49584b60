"""The page's API over real sockets, with the embedded model: from the one-time link to a picture, an answer, a restart,
and what a backup of a log or a list must never hold."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from edgekit.bundle import Bundle
from edgekit.phantom.dicom import dicom_file
from edgekit.ward.keys import master_key
from edgekit.ward.ward import Ward
from tests.browser import PASSWORD
from tests.embedded_bundles import EmbeddedBundles
from tests.served import Served, Slow, png, serving


@pytest.fixture(scope="module")
def bundle(embedded_as: EmbeddedBundles) -> Bundle:
    return embedded_as("q4")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path / "site"))
    return tmp_path / "state"


def invite(state: Path, name: str) -> str:
    """Add an account, as a command does; its link's secret."""
    with Ward.open(state, master_key(state)) as ward:
        return ward.invitations.make(ward.accounts.add(name, "doctor"))


@contextmanager
def signed_in(served: Served, state: Path, name: str) -> Iterator[httpx.Client]:
    """A client that has come in by its link."""
    with served.client() as client:
        answer = client.post("/api/invitation", json={"secret": invite(state, name), "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["x-csrf-token"] = answer.json()["csrf"]
        yield client


def events(lines: Iterator[str]) -> Iterator[tuple[str, int, Any]]:
    """Name, number and document of each event."""
    fields: dict[str, str] = {}
    for line in lines:
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            yield fields["event"], int(fields.get("id", 0)), json.loads(fields["data"])
            fields = {}


def ask(client: httpx.Client, path: str, **fields: Any) -> list[tuple[str, int, Any]]:
    with client.stream("POST", f"{path}/messages", json={"max_tokens": 12, **fields}) as answer:
        assert answer.status_code == 200, answer.read()
        return list(events(answer.iter_lines()))


def test_from_the_link_to_tomorrow(bundle: Bundle, state: Path) -> None:
    with serving(bundle, state=state) as served, signed_in(served, state, "anna") as client:
        path = f"/api/conversations/{client.post('/api/conversations', json={'label': 'bed 4'}).json()['id']}"
        dicom = dicom_file(1, Image.fromarray(np.linspace(0, 255, 64 * 48, dtype=np.uint8).reshape(48, 64)))
        pictures = []
        for content in (png(1), dicom):
            added = client.post(f"{path}/images", content=content)
            assert added.status_code == 201, added.text
            pictures.append(added.json())
        assert pictures[1]["facts"]["modality"]
        shown = client.get(f"{path}/images/{pictures[0]['id']}?side=16")
        assert Image.open(io.BytesIO(shown.content)).size == (16, 16)
        sent = client.get(f"{path}/images/{pictures[1]['id']}/pixels")
        facts = json.loads(sent.headers["x-picture"])
        assert len(sent.content) == 2 * facts["width"] * facts["height"]
        assert sent.headers["content-encoding"] == "gzip"
        told = ask(client, path, text="Is there a pacemaker?", images=[pictures[0]["id"]])
        assert [name for name, _, _ in told if name != "place"][:1] == ["turn"]
        ended = told[-1][2]
        assert ended["state"] == "whole"
        text = "".join(document["text"] for name, _, document in told if name == "text")
        assert text == ended["answer"] != ""
        again = ask(client, path, text="Where?")[-1][2]
        assert again["prompt_tokens"] > ended["prompt_tokens"]
        cookies, csrf = client.cookies, client.headers["x-csrf-token"]
    with serving(bundle, state=state) as served, served.client(cookies=cookies) as client:
        whole = client.get(path).json()
        assert whole["turns"] == [ended, again]
        assert [picture["id"] for picture in whole["images"]] == [picture["id"] for picture in pictures]
        with client.stream("GET", f"{path}/messages/{ended['id']}/events?offset=3") as answer:
            taken = list(events(answer.iter_lines()))
        assert "".join(document["text"] for name, _, document in taken if name == "text") == text[3:]
        assert client.post(f"{path}/messages", json={"text": "x"}).status_code == 403, "a session outlives a restart"
        client.headers["x-csrf-token"] = csrf
        assert client.delete(path).status_code == 204
        assert client.get(path).status_code == 404


def test_an_answer_is_the_same_by_either_api(bundle: Bundle, state: Path) -> None:
    with serving(bundle, state=state) as served, served.client() as client:
        path = f"/api/conversations/{client.post('/api/conversations', json={}).json()['id']}"
        picture = client.post(f"{path}/images", content=png(2)).json()["id"]
        ended = ask(client, path, text="Is there a pacemaker?", images=[picture])[-1][2]
        whole = served.ask("Is there a pacemaker?", png(2), max_tokens=12).json()
        assert ended["answer"] == whole["choices"][0]["message"]["content"]
        assert ended["prompt_tokens"] == whole["usage"]["prompt_tokens"]


def test_a_link_that_drops_costs_nothing(bundle: Bundle, state: Path) -> None:
    with serving(bundle, state=state, engine=Slow) as served, served.client() as client:
        path = f"/api/conversations/{client.post('/api/conversations', json={}).json()['id']}"
        seen, turn, text = 0, "", ""
        with client.stream("POST", f"{path}/messages", json={"text": "Describe.", "max_tokens": 40}) as answer:
            for name, number, document in events(answer.iter_lines()):
                turn = document["id"] if name == "turn" else turn
                if name == "text":
                    seen, text = number, text + document["text"]
                if seen > 5:
                    break
        with client.stream("GET", f"{path}/messages/{turn}/events", headers={"last-event-id": str(seen)}) as answer:
            rest = list(events(answer.iter_lines()))
        text += "".join(document["text"] for name, _, document in rest if name == "text")
        assert rest[-1][0] == "end"
        assert rest[-1][2]["answer"] == text


def test_once_there_is_an_account_everybody_signs_in(bundle: Bundle, state: Path) -> None:
    with serving(bundle, state=state) as served, served.client() as stranger:
        assert stranger.get("/api/conversations").status_code == 200
        assert stranger.get("/v1/models").status_code == 200
        assert served.ask("x").status_code == 200
        with signed_in(served, state, "anna") as client:
            assert served.ask("x").status_code == 401
            assert stranger.get("/api/conversations").status_code == 401
            body = {"messages": [{"role": "user", "content": "x"}], "max_tokens": 2}
            assert client.post("/v1/chat/completions", json=body).status_code == 200
            assert client.get("/metrics").status_code == 200
            del client.headers["x-csrf-token"]
            assert client.post("/v1/chat/completions", json=body).status_code == 403
