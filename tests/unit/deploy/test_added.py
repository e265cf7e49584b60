"""What a device adds to an installed bundle lies beside the releases, root's alone: a release is never changed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from edgekit.bundle.forced import FORCED
from edgekit.deploy import examined
from edgekit.deploy.added import KeepApart, added, forget_added, records
from edgekit.deploy.examined import PHASES, examine
from edgekit.deploy.layout import Layout
from edgekit.deploy.steps import show
from edgekit.engines.believed import RECORD
from edgekit.engines.compile import compile_bundle
from edgekit.engines.lock import compiled_form
from edgekit.engines.verify import verify_everything
from edgekit.progress import silent
from tests.deploying import NEW, OLD, THIRD, Site
from tests.embedded_bundles import EmbeddedBundles


def test_the_folders_are_the_device_s_and_the_bundle_s(site: Site) -> None:
    engines, profiles = added(site.layout, "a" * 64).values()
    assert str(engines) == "/opt/edgekit/added/engines/aaaaaaaaaaaaaaaa"
    assert str(profiles) == "/opt/edgekit/added/profiles/aaaaaaaaaaaaaaaa"
    assert "lie in /opt/edgekit/added/engines/aaaa" in show([KeepApart(NEW, "a" * 64)], site.hands)[0]


def test_two_releases_of_one_bundle_have_the_same_ones(site: Site) -> None:
    for release in (OLD, NEW):
        (site.layout.release(release) / "bundle").mkdir(parents=True)
        KeepApart(release, "a" * 64).do(site.hands)
        KeepApart(release, "a" * 64).do(site.hands)
    links = [(site.layout.release(release) / "bundle" / "engines").readlink() for release in (OLD, NEW)]
    assert links == [Path("/opt/edgekit/added/engines/aaaaaaaaaaaaaaaa")] * 2
    assert (site.folder / "opt/edgekit/added/engines/aaaaaaaaaaaaaaaa").is_dir()
    for name, folder in ((RECORD, "engines"), (FORCED, "forced")):
        noted = {(site.layout.release(release) / "bundle" / name).readlink() for release in (OLD, NEW)}
        assert noted == {Path(f"/opt/edgekit/state/{folder}/aaaaaaaaaaaaaaaa.json")}


def test_a_bundle_with_its_engines_elsewhere_compiles_opens_and_is_verified(
    tmp_path: Path, embedded_as: EmbeddedBundles
) -> None:
    bundle, engines = embedded_as.copy("q4", tmp_path / "bundle"), tmp_path / "engines"
    link = bundle.path / "engines"
    if link.exists():
        link.rename(engines)
    engines.mkdir(exist_ok=True)
    link.symlink_to(engines)
    compiled = compile_bundle(bundle)
    assert compiled.folder.resolve().parent == engines
    assert compiled_form(bundle) == compiled.folder
    assert link.is_symlink()
    assert verify_everything(bundle).files > 10


def test_what_no_release_has_any_more_is_forgotten(site: Site) -> None:
    site.installed(OLD).installed(NEW)
    engines = site.folder / "opt/edgekit/added/engines"
    noted = [site.layout.at(path) for release in (OLD, NEW, THIRD) for path in records(site.layout, release).values()]
    for record in noted:
        record.touch()
    assert sorted(path.name for path in engines.iterdir()) == [OLD[:16], NEW[:16]], "the one before is kept"
    site.installed(THIRD)
    assert sorted(path.name for path in engines.iterdir()) == [NEW[:16], THIRD[:16]]
    assert [record.exists() for record in noted] == [False, False, True, True, True, True]
    forget_added(Layout(site.folder / "empty"))


def test_what_a_phase_adds_can_be_read_and_not_changed_by_others_whatever_the_umask(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = site.layout.release(NEW) / "bundle"
    monkeypatch.setattr(examined, "open_bundle", lambda path: path)
    before = os.umask(0o077)
    try:
        bundle.mkdir(parents=True)
        KeepApart(NEW, "a" * 64).do(site.hands)
        for name, folder in added(site.layout, "a" * 64).items():
            (bundle / name).unlink()
            (bundle / name).symlink_to(site.layout.at(folder))  # as the device sees it

        def add(opened: object, progress: object) -> dict[str, object]:
            (bundle / "engines" / "form").mkdir()
            (bundle / "engines" / "form" / "plan").touch()
            (bundle / "profiles" / "one.json").touch()
            return {}

        monkeypatch.setitem(PHASES, "compile", add)
        assert examine("compile", bundle, silent) == {}
    finally:
        os.umask(before)
    there = [site.layout.added, *site.layout.added.rglob("*")]
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in there}
    assert {mode for name, mode in modes.items() if name not in ("plan", "one.json")} == {0o755}
    assert (modes["plan"], modes["one.json"]) == (0o644, 0o644)


def test_forgetting_follows_no_link(site: Site) -> None:
    site.installed(OLD)
    other = site.folder / "other"
    (other / "kept").mkdir(parents=True)
    (site.layout.added / "engines" / "link").symlink_to(other)
    (site.layout.added / "profiles" / OLD[:16]).rmdir()
    (site.layout.added / "profiles").rmdir()
    (site.layout.added / "profiles").symlink_to(other)
    forget_added(site.layout)
    assert (other / "kept").is_dir()
