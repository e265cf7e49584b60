"""A service is backed up while it is asked, by a process of its own, and goes on elsewhere with all but the deleted."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from edgekit.cli.main import main
from tests.commands import run
from tests.embedded_bundles import EmbeddedBundles
from tests.serve_process import process


def _use(site: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEKIT_SITE", str(site))
    monkeypatch.setenv("EDGEKIT_STATE", str(site / "state"))
    return site


def test_a_service_goes_on_elsewhere(
    embedded_as: EmbeddedBundles,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bundle = embedded_as("q4").path
    here, there = tmp_path / "here", tmp_path / "there"
    data, keys = tmp_path / "data.tar", tmp_path / "safe" / "keys"
    keys.parent.mkdir()
    told: dict[str, dict[str, Any]] = {}
    stop, enough = threading.Event(), threading.Event()

    def talk(url: str, name: str) -> None:
        number = 0
        with httpx.Client(base_url=f"{url}api/", timeout=60) as client:
            while not stop.is_set():
                id = client.post("conversations", json={"label": f"{name} {number}"}).json()["id"]
                body = {"text": "What is it?", "stream": False, "max_tokens": 3}
                assert client.post(f"conversations/{id}/messages", json=body).status_code == 200
                told[id] = client.get(f"conversations/{id}").json()
                number += 1
                if len(told) >= 12:
                    enough.set()

    with process(bundle, "--slots", "2", site=_use(here, monkeypatch)) as running:
        threads = [threading.Thread(target=talk, args=(running.url, name)) for name in ("one", "two")]
        for thread in threads:
            thread.start()
        assert enough.wait(120)
        before = dict(told)
        assert run("backup", str(data))["backup"]["damaged"] == []
        stop.set()
        for thread in threads:
            thread.join()
        gone = next(iter(before))
        assert httpx.delete(f"{running.url}api/conversations/{gone}").status_code == 204
        run("backup", "--keys", str(keys))
        assert main(["restore", str(data), "--keys", str(keys)]) == 1
        assert "A service is running" in capsys.readouterr().err
        assert running.stop() == 0
    _use(there, monkeypatch)
    restored = run("restore", str(data), "--keys", str(keys))
    assert (restored["deleted"], restored["lost"], restored["missing"]) == (1, 0, 0)
    with process(bundle, site=there) as running, httpx.Client(base_url=f"{running.url}api/", timeout=60) as client:
        assert client.get(f"conversations/{gone}").status_code == 404
        for id, conversation in before.items():
            if id != gone:
                assert client.get(f"conversations/{id}").json() == conversation
        turn = conversation["turns"][0]["id"]
        assert run("audit", "replay", turn, str(bundle))["verdict"] == "equal"
    assert run("audit", "verify")["ok"]
