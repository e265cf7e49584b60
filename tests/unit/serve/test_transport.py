"""How callers are met: in clear, by the device's own certificate, or by a given one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from edgekit.cli.main import main
from edgekit.errors import ConfigError
from edgekit.serve.transport import Transport, transport


async def _renewed(met: Transport) -> object:
    return await met.renew()


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path))
    return tmp_path


def test_without_a_certificate_callers_are_met_in_clear(site: Path) -> None:
    met = transport(None, None)
    assert (met.context, met.warnings) == (None, ())
    assert not asyncio.run(_renewed(met)), "nothing is due"
    assert not (site / "tls").exists(), "none is made that was not asked for"


def test_the_devices_own_certificate_is_served_and_renewed(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tls", "make"]) == 0
    met = transport(None, None)
    assert met.context is not None
    assert {"localhost", "127.0.0.1"} < set(met.names())
    assert met.warnings == ()
    assert not asyncio.run(_renewed(met)), "it was made just now"


def test_an_authority_that_was_damaged_is_no_reason_to_go_on_in_clear(site: Path) -> None:
    (site / "tls").mkdir()
    with pytest.raises(ConfigError):
        transport(None, None)


def test_a_given_certificate_comes_before_the_devices_own(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tls", "make"]) == 0
    pem = (site / "tls" / "leaf.pem").read_text(encoding="utf-8")
    end = "-----END PRIVATE KEY-----\n"
    before, _, after = pem.partition(end)
    begin = before.index("-----BEGIN PRIVATE KEY-----")
    certificate, key = site / "given.pem", site / "given.key"
    certificate.write_text(before[:begin] + after, encoding="utf-8")
    key.write_text(before[begin:] + end, encoding="utf-8")
    key.chmod(0o604)
    met = transport(certificate, key)
    assert met.context is not None
    assert "localhost" in met.names()
    assert any("read by everybody" in warning for warning in met.warnings)


def test_a_certificate_that_cant_be_used_is_said(site: Path) -> None:
    with pytest.raises(ConfigError, match="none"):
        transport(site / "none.pem", site / "none.pem")
