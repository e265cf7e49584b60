"""Files outside a release: a site's own stay, units are read anew only where they changed, and back again."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.deploy.journal import make_folder
from edgekit.deploy.placing import Configure, Place, Switch
from edgekit.errors import ConfigError
from tests.deploying import NEW, OLD, Site

PATH = "/etc/default/edgekit"


def test_a_configuration_is_created_once_and_only_what_was_created_is_removed(site: Site) -> None:
    step, file = Configure(PATH, "new"), site.folder / PATH[1:]
    before = step.before(site.hands)
    assert step.show(site.hands) == f"write {file}"
    step.do(site.hands)
    assert file.read_text() == "new"
    step.undo(site.hands, before)
    step.undo(site.hands, before)
    assert not file.exists()
    step.do(site.hands)
    file.write_text("the site's")
    step.do(site.hands)
    step.undo(site.hands, before)
    assert file.read_text() == "the site's"
    assert step.show(site.hands) == f"keep {file} as it is"


def test_units_are_read_anew_only_where_one_changed(site: Site) -> None:
    step = Place({"/etc/systemd/system/a.service": "one", "/etc/b": "two"}, ("a.service",), "b")
    before = step.before(site.hands)
    step.do(site.hands)
    assert site.services.told == ["reload", "users b", "enable a.service"]
    step.do(site.hands)
    assert site.services.told.count("reload") == 1
    upgrade = Place({"/etc/systemd/system/a.service": "three"}, ("a.service",))
    upgraded = upgrade.before(site.hands)
    upgrade.do(site.hands)
    upgrade.undo(site.hands, upgraded)
    file = site.folder / "etc/systemd/system/a.service"
    assert file.read_text() == "one"
    assert "disable a.service" not in site.services.told, "it was there before"
    step.undo(site.hands, before)
    assert not file.exists()
    assert site.services.told[-2:] == ["disable a.service", "reload"], "while its file says how"
    assert "they are as they should be" in Place({}, ()).show(site.hands)


def test_a_switch_names_a_release_that_is_there_and_goes_back(site: Site) -> None:
    with pytest.raises(ConfigError, match="is not in"):
        Switch(OLD).do(site.hands)
    for release in (OLD, NEW):
        make_folder(site.layout.release(release))
    first, second = Switch(OLD), Switch(NEW)
    before_first = first.before(site.hands)
    first.do(site.hands)
    before = second.before(site.hands)
    second.do(site.hands)
    assert site.layout.current.readlink() == Path("releases", NEW)
    second.undo(site.hands, before)
    assert site.layout.running() == OLD
    first.undo(site.hands, before_first)
    first.undo(site.hands, before_first)
    assert site.layout.running() is None


def test_what_is_no_file_is_said(site: Site) -> None:
    (site.folder / "etc" / "a").mkdir(parents=True)
    with pytest.raises(ConfigError, match="can't be read"):
        Place({"/etc/a": "text"}).do(site.hands)
