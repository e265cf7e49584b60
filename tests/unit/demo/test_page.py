"""The demo's service: on this machine alone, in a folder of its own, beside whatever else is here."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from edgekit.config.site import site_folder
from edgekit.config.state import state_folder
from edgekit.demo import page
from edgekit.demo.page import serve_page
from edgekit.errors import EngineError
from edgekit.serve import tokens
from edgekit.serve.server import Offer


@pytest.fixture
def offers(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Offer, int, Path, Path]]:
    """What would have been served, by which port, and which folders were the site's and the state's meanwhile."""
    offered: list[tuple[Offer, int, Path, Path]] = []

    def serve(offer: Offer, announce: object) -> None:
        offered.append((offer, offer.listener.getsockname()[1], site_folder(), state_folder()))

    monkeypatch.setattr(page, "serve", serve)
    monkeypatch.setattr(page, "PORT", 0)
    return offered


def test_it_serves_this_machine_without_the_site_s_tokens(
    offers: list[tuple[Offer, int, Path, Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path / "site"))
    monkeypatch.delenv("EDGEKIT_STATE", raising=False)
    tokens.add(tmp_path / "site" / "tokens.toml", "ward")
    (tmp_path / "site" / "serve.toml").write_text("[limits]\nwaiting = 5\n")
    monkeypatch.chdir(tmp_path)
    serve_page(Path("demo/q4"), Path("demo"), lambda announcement: None)
    ((offer, _, site, state),) = offers
    assert (offer.bundle, offer.slots, offer.host, offer.transport.context) == (
        Path("demo/q4"),
        None,
        "127.0.0.1",
        None,
    )
    assert not offer.tokens.required
    assert offer.settings.limits.waiting == 128
    assert offer.state == state
    assert (site, state) == (tmp_path / "demo" / "service", tmp_path / "demo" / "service" / "state")
    assert len(offer.samples) == 4
    assert os.environ["EDGEKIT_SITE"] == str(tmp_path / "site"), "as it was before"
    assert "EDGEKIT_STATE" not in os.environ


def test_a_port_that_is_taken_is_not_in_the_way(
    offers: list[tuple[Offer, int, Path, Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        monkeypatch.setattr(page, "PORT", taken)
        serve_page(tmp_path / "q4", tmp_path, lambda announcement: None)
    assert offers[0][1] not in (0, taken)


def test_whatever_ends_it_leaves_the_environment_and_the_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ports: list[int] = []

    def failing(offer: Offer, announce: Callable[..., object]) -> None:
        ports.append(offer.listener.getsockname()[1])
        raise EngineError("The engine failed while serving")

    before = dict(os.environ)
    monkeypatch.setattr(page, "PORT", 0)
    monkeypatch.setattr(page, "serve", failing)
    with pytest.raises(EngineError):
        serve_page(tmp_path / "q4", tmp_path, lambda announcement: None)
    assert dict(os.environ) == before
    socket.create_server(("127.0.0.1", ports[0])).close()
