"""The certificate that an installed service shows: a given one or the device's, what it is for, and how long yet."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from edgekit.cli.show.status import show_status
from edgekit.console import Console
from edgekit.deploy.certificate import shown_by
from edgekit.deploy.status import status
from edgekit.serve.tls.clock import now
from edgekit.serve.tls.make import make
from edgekit.serve.tls.names import Names
from tests.deploying import OLD, Site
from tests.unit.serve.tls.test_given import Given

DAY = timedelta(days=1)


@pytest.fixture
def given(site: Site) -> Given:
    folder = site.folder / "etc/credstore"
    folder.mkdir(parents=True)
    brought = Given(folder)
    brought.certificate.rename(folder / "edgekit.tls.crt")
    brought.certificate = folder / "edgekit.tls.crt"
    return brought


def test_without_one_there_is_none(site: Site) -> None:
    assert shown_by(site.layout) is None
    assert status(site.installed(OLD).hands, lambda hands: "").document()["certificate"] is None


def test_the_device_s_own_is_told_by_its_authority(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.installed(OLD)
    folder = site.folder / "etc/edgekit/tls"
    made = make(folder, Names(("ward7.local",)), now(), device=Names())
    shown = shown_by(site.layout)
    assert shown is not None
    assert (shown.given, shown.fingerprint, shown.warning) == (False, made.authority.fingerprint, "")
    assert "ward7.local" in shown.names
    assert 3600 < shown.days_left < 3660
    show_status(Console(), status(site.hands, lambda hands: ""))
    said = capsys.readouterr()
    assert made.authority.fingerprint in said.out
    assert "Warning" not in said.err


@pytest.mark.parametrize(("left", "warned"), [(31 * DAY, ""), (29 * DAY, "ends in 28 days"), (-DAY, "has ended")])
def test_a_given_one_is_warned_of_below_a_month(
    site: Site, given: Given, capsys: pytest.CaptureFixture[str], left: timedelta, warned: str
) -> None:
    site.installed(OLD)
    given.write(now() - 90 * DAY, now() + left, "ward7.example")
    told = status(site.hands, lambda hands: "")
    document = told.document()["certificate"]
    assert (document["given"], document["names"]) == (True, ["ward7.example"])
    assert len(document["fingerprint"].split(":")) == 32
    assert (warned in document["warning"], bool(document["warning"])) == (True, bool(warned))
    show_status(Console(), told)
    said = capsys.readouterr()
    assert "ward7.example" in said.out
    assert warned in said.err


def test_what_can_not_be_looked_at_is_said_and_no_error(site: Site, given: Given) -> None:
    site.installed(OLD)
    Path(given.certificate).write_text("no certificate")
    shown = shown_by(site.layout)
    assert shown is not None
    assert shown.problem
    assert shown.warning == ""
    show_status(Console(), status(site.hands, lambda hands: ""))
