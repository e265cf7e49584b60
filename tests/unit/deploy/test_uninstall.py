"""What is removed with an installation, and what stays."""

from __future__ import annotations

import pytest

from edgekit.deploy.uninstall import plan_removal, uninstall
from edgekit.deploy.watching import ENABLED
from edgekit.errors import InputError
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


def test_one_that_was_interrupted_is_done_by_running_it_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.installed(OLD)

    def cut(path: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("edgekit.deploy.uninstall._remove", cut)
        uninstall(site.hands, data=False)
    uninstall(site.hands, data=False)
    assert not site.layout.releases.exists()
