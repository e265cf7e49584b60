"""A running service shows a new certificate to new connections, and goes on whatever befalls the files."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import ssl
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from edgekit.config.site import locked
from edgekit.errors import ConfigError
from edgekit.serve.tls.authority import private_file, public_file
from edgekit.serve.tls.certificates import Certificates
from edgekit.serve.tls.clock import now
from edgekit.serve.tls.leaf import Leaf, leaf_file, read_leaf
from edgekit.serve.tls.make import make
from edgekit.serve.tls.names import Names, parse_names
from tests.asgi import on_loop
from tests.unit.serve.tls.conftest import Serve

Connect = Callable[[int, Path, str], bytes]


class Device:
    """A device whose clock and names are what a test says."""

    def __init__(self, folder: Path, names: Names) -> None:
        self.folder = folder
        self.names = names
        self.clock = now()
        make(folder, Names(), self.clock, device=names)
        self.certificates = Certificates(folder, lambda: self.clock, lambda: self.names)

    def renew(self) -> bool:
        return asyncio.run(self.certificates.renew_if_due())

    def leaf(self) -> Leaf:
        leaf = read_leaf(self.folder)
        assert leaf
        return leaf


@pytest.fixture
def device(tmp_path: Path, ward: Names) -> Device:
    return Device(tmp_path, ward)


def _der(leaf: Leaf) -> bytes:
    return leaf.certificate.public_bytes(Encoding.DER)


def test_a_renewed_certificate_is_shown_from_the_next_connection_on(
    device: Device, serve: Serve, connect: Connect
) -> None:
    context = device.certificates.context()
    port, authority, first = serve(context), public_file(device.folder), device.leaf()
    assert connect(port, authority, "ward7.local") == _der(first)
    assert not device.renew()
    device.names |= parse_names(["www.ward7"], [])
    assert "www.ward7" not in device.certificates.names()
    assert device.renew()
    assert "www.ward7" in device.certificates.names()
    second = device.leaf()
    assert connect(port, authority, "www.ward7") == _der(second) != _der(first)
    assert device.certificates.context() is context
    assert not device.renew()


def test_what_was_made_meanwhile_is_taken(device: Device, ward: Names, serve: Serve, connect: Connect) -> None:
    port = serve(device.certificates.context())
    make(device.folder, Names(), now(), force=True, device=ward)
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(port, public_file(device.folder), "ward7")
    assert device.renew()
    assert connect(port, public_file(device.folder), "ward7") == _der(device.leaf())


def test_time_passes(device: Device) -> None:
    device.certificates.context()
    start = device.clock
    renewed = []
    for day in range(200):
        device.clock = start + timedelta(days=day)
        if device.renew():
            renewed.append(day)
        assert device.leaf().begins < device.clock < device.leaf().ends
    assert renewed == [60, 120, 180]


def test_a_start_in_1970_shows_what_is_there_and_renews_when_the_clock_is_right(device: Device) -> None:
    first = device.leaf()
    device.clock = datetime.fromtimestamp(20, tz=device.clock.tzinfo)
    device.certificates.context()
    assert not device.renew()
    assert _der(device.leaf()) == _der(first)
    device.clock = first.ends + timedelta(days=300)
    assert device.renew()
    assert device.leaf().begins < device.clock < device.leaf().ends


def test_a_full_disk_keeps_the_old_one(
    device: Device, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    device.certificates.context()
    first, files = device.leaf(), sorted(os.listdir(device.folder))
    device.clock += timedelta(days=61)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(os, "fsync", full)
        assert not device.renew()
    assert "No space is left" in caplog.text
    assert _der(device.leaf()) == _der(first)
    assert sorted(os.listdir(device.folder)) == files
    assert device.renew()


def test_damage_while_it_runs_is_mended_or_logged(device: Device, caplog: pytest.LogCaptureFixture) -> None:
    device.certificates.context()
    leaf_file(device.folder).write_bytes(b"")
    assert device.renew()
    private_file(device.folder).write_bytes(b"")
    with caplog.at_level(logging.ERROR):
        assert not device.renew()
    assert "damaged" in caplog.text


def test_an_authority_that_ended_is_logged_and_the_service_goes_on(
    device: Device, caplog: pytest.LogCaptureFixture
) -> None:
    device.clock += timedelta(days=4000)
    device.certificates.context()
    assert "authority ended" in caplog.text
    caplog.clear()
    assert not device.renew()
    assert "authority ended" in caplog.text


def test_without_an_authority_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no certificate authority") as caught:
        Certificates(tmp_path / "tls").context()
    assert "edgekit tls make" in caught.value.hint


@on_loop
async def test_who_holds_the_files_keeps_nobody_else_waiting(device: Device) -> None:
    context = device.certificates.context()
    device.clock += timedelta(days=61)
    first = device.leaf()
    with locked(private_file(device.folder)):  # as `edgekit tls make` does, which may be stopped at a terminal
        renewing = asyncio.create_task(device.certificates.renew_if_due())
        await asyncio.sleep(0.05)  # the loop goes on
        assert not renewing.done()
        assert _der(device.leaf()) == _der(first)
    assert await renewing
    assert _der(device.leaf()) != _der(first)
    assert device.certificates.context() is context


def test_old_tls_is_refused(device: Device) -> None:
    context = device.certificates.context()
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert not context.options & ssl.OP_NO_TLSv1_3
