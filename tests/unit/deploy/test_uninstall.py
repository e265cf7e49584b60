"""What is removed with an installation, and what stays."""

from __future__ import annotations

import pytest

from edgekit.deploy.uninstall import plan_removal, uninstall
from edgekit.deploy.watching import ENABLED
from edgekit.errors import EdgeKitError, InputError
from tests.deploying import OLD, Site


def test_the_service_goes_and_what_it_keeps_stays(site: Site) -> None:
    site.installed(OLD)
    site.layout.data.mkdir(parents=True)
    (site.layout.data / "accounts").write_text("anna")
    planned = plan_removal(site.hands, data=False)
    site.services.told.clear()
    assert uninstall(site.hands, data=False) == planned
    stopped = [f"stop edgekit{end}" for end in ("-commit.timer", "-check.timer", ".service")]
    assert site.services.told[:3] == stopped, "first of all"
    assert {f"disable {unit}" for unit in ENABLED} < set(site.services.told)
    assert site.services.told[-1] == "reload"
    assert planned.kept == (site.layout.data, site.layout.configuration, site.layout.environment)
    left = {path.relative_to(site.folder).as_posix() for path in site.folder.rglob("*") if path.is_file()}
    assert left == {"etc/default/edgekit", "var/lib/edgekit/accounts"}
    assert not site.layout.at(site.layout.prefix).exists()
    with pytest.raises(InputError, match="Nothing is installed"):
        uninstall(site.hands, data=False)


def test_all_of_it_goes_where_that_is_said(site: Site) -> None:
    site.installed(OLD)
    uninstall(site.hands, data=True)
    assert not [path for path in site.folder.rglob("*") if path.is_file()]


def test_where_systemd_can_not_be_told_all_is_there_for_the_next_run(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.installed(OLD)
    planned = plan_removal(site.hands, data=False)

    def fail() -> None:
        raise EdgeKitError("systemd does not answer", "")

    with monkeypatch.context() as patch, pytest.raises(EdgeKitError, match="systemd does not answer"):
        patch.setattr(site.services, "reload", fail)
        uninstall(site.hands, data=False)
    assert plan_removal(site.hands, data=False) == planned
    assert site.layout.unit.read_text() == "unit\n"
    site.services.told.clear()
    assert uninstall(site.hands, data=False) == planned
    assert "reload" in site.services.told
    assert not site.layout.unit.exists()


def test_one_that_was_interrupted_is_done_by_running_it_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.installed(OLD)

    def cut(path: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("edgekit.deploy.uninstall._remove", cut)
        uninstall(site.hands, data=False)
    uninstall(site.hands, data=False)
    assert not site.layout.releases.exists()
