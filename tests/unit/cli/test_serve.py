"""`edgekit serve` before it serves: what is refused, in which order, and what is said of who can ask."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgekit.cli.main import main
from edgekit.serve import bundle as bundles
from edgekit.serve import server, tokens
from edgekit.serve.server import Announcement, Offer
from tests.browser import account
from tests.mirrored import ROOT

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path))
    monkeypatch.setenv("EDGEKIT_STATE", str(tmp_path / "state"))
    return tmp_path


@pytest.fixture
def offers(monkeypatch: pytest.MonkeyPatch) -> list[Offer]:
    """What would have been served; it is announced, and over."""
    offered: list[Offer] = []

    def serve(offer: Offer, announce: Callable[[Announcement], None]) -> None:
        offered.append(offer)
        url = f"http://127.0.0.1:{offer.listener.getsockname()[1]}/"
        announcement = Announcement(
            url=url, model="toy", bundle=str(offer.bundle), slots=2, context=96, tokens=False, loaded_s=0.5
        )
        announce(announcement)

    monkeypatch.setattr(server, "serve", serve)
    return offered


def test_the_url_is_said_first(offers: list[Offer], capsys: Capture) -> None:
    assert main(["serve", "/some/bundle", "--port", "0"]) == 0
    (offer,) = offers
    assert (offer.bundle, offer.slots, offer.host) == (Path("/some/bundle"), None, "127.0.0.1")
    assert not offer.tokens.required
    assert offer.transport.context is None
    assert capsys.readouterr().out.startswith("toy answers at http://127.0.0.1:")


def test_a_program_gets_one_document(offers: list[Offer], capsys: Capture) -> None:
    assert main(["serve", "/some/bundle", "--port", "0", "--slots", "3", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["model"] == "toy"
    assert document["url"].startswith("http://127.0.0.1:")
    assert offers[0].slots == 3


def test_without_a_bundle_what_is_here_is_served(
    offers: list[Offer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bundles, "bundle_to_serve", lambda progress: tmp_path / "here")
    assert main(["serve", "--port", "0"]) == 0
    assert offers[0].bundle == tmp_path / "here"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "ward7.example"])
def test_beyond_this_machine_nobody_is_served_without_tokens_and_tls(
    offers: list[Offer], site: Path, host: str, capsys: Capture
) -> None:
    assert main(["serve", "/some/bundle", "--host", host, "--port", "0"]) == 1
    err = capsys.readouterr().err
    assert "no token" in err
    assert "no certificate" in err
    assert "--insecure" in err
    tokens.add(site / "tokens.toml", "ward")
    assert main(["serve", "/some/bundle", "--host", host, "--port", "0"]) == 1
    err = capsys.readouterr().err
    assert "no token" not in err
    assert "no certificate" in err
    assert offers == []


def test_what_is_asked_for_by_name_is_done_loudly(offers: list[Offer], capsys: Capture) -> None:
    assert main(["serve", "/some/bundle", "--host", "0.0.0.0", "--port", "0", "--insecure"]) == 0
    assert "WARNING: --insecure" in capsys.readouterr().err
    assert offers[0].host == "0.0.0.0"
    assert main(["serve", "/some/bundle", "--port", "0", "--insecure"]) == 0
    assert "WARNING" not in capsys.readouterr().err, "on loopback there is nothing to warn of"


def test_tokens_and_the_devices_own_certificate_are_enough(offers: list[Offer], site: Path, capsys: Capture) -> None:
    tokens.add(site / "tokens.toml", "ward")
    assert main(["tls", "make"]) == 0
    assert main(["serve", "/some/bundle", "--host", "0.0.0.0", "--port", "0"]) == 0
    (offer,) = offers
    assert offer.tokens.required
    assert offer.transport.context is not None
    assert "WARNING" not in capsys.readouterr().err


def test_an_account_is_as_good_as_a_token(offers: list[Offer], site: Path) -> None:
    account(site / "state")
    assert main(["tls", "make"]) == 0
    assert main(["serve", "/some/bundle", "--host", "0.0.0.0", "--port", "0"]) == 0
    assert offers[0].state == site / "state"


def test_a_port_that_is_taken_is_said_before_anything_is_loaded(
    offers: list[Offer], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(bundles, "bundle_to_serve", lambda progress: pytest.fail("it was loaded"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 1
    err = capsys.readouterr().err
    assert f"127.0.0.1:{port} can't be listened on" in err
    assert "--port" in err
    assert offers == []


def test_the_address_is_free_again_whatever_came_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ports: list[int] = []

    def serve(offer: Offer, announce: object) -> None:
        ports.append(offer.listener.getsockname()[1])
        raise KeyboardInterrupt

    monkeypatch.setattr(server, "serve", serve)
    assert main(["serve", "/some/bundle", "--port", "0"]) == 130
    socket.create_server(("127.0.0.1", ports[0])).close()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "65536"], "65536"),
        (["--port", "-1"], "-1"),
        (["--slots", "0"], "0"),
        (["--cert", "c.pem"], "belong together"),
        (["--key", "k.pem"], "belong together"),
    ],
)
def test_a_wrong_use_is_one(offers: list[Offer], arguments: list[str], words: str, capsys: Capture) -> None:
    assert main(["serve", "/some/bundle", *arguments]) == 2
    assert words in capsys.readouterr().err
    assert offers == []


def test_damaged_settings_tokens_and_certificates_are_said(offers: list[Offer], site: Path, capsys: Capture) -> None:
    (site / "serve.toml").write_text("[limits]\nbody = 5\n", encoding="utf-8")
    assert main(["serve", "/some/bundle", "--port", "0"]) == 1
    assert "body" in capsys.readouterr().err
    (site / "serve.toml").unlink()
    (site / "tokens.toml").write_text("", encoding="utf-8")
    (site / "tokens.toml").chmod(0o600)
    assert main(["serve", "/some/bundle", "--port", "0"]) == 1
    assert "tokens.toml" in capsys.readouterr().err
    (site / "tokens.toml").unlink()
    missing = str(site / "none.pem")
    assert main(["serve", "/some/bundle", "--port", "0", "--cert", missing, "--key", missing]) == 1
    assert "none.pem" in capsys.readouterr().err
    assert offers == []


def test_a_folder_that_is_no_bundle_is_a_message(site: Path, capsys: Capture) -> None:
    assert main(["serve", str(site / "nothing"), "--port", "0"]) == 1
    assert "is not a bundle" in capsys.readouterr().err


WITHOUT = """
import sys
sys.modules["starlette"] = None
from edgekit.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(("argument", "code", "words"), [("--help", 0, "Usage"), ("b", 1, "needs the extra 'serve'")])
def test_what_is_missing_is_named(argument: str, code: int, words: str) -> None:
    command = [sys.executable, "-c", WITHOUT, "serve", argument]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == code
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
