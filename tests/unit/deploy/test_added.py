"""What a device adds to an installed bundle lies with the service's data: a release is never changed."""

from __future__ import annotations

from pathlib import Path

from edgekit.deploy.added import KeepApart, added, forget_added
from edgekit.deploy.layout import Layout
from edgekit.deploy.steps import show
from edgekit.engines.compile import compile_bundle
from edgekit.engines.lock import compiled_form
from edgekit.engines.verify import verify_everything
from tests.deploying import NEW, OLD, THIRD, Site
from tests.embedded_bundles import EmbeddedBundles


def test_the_folders_are_the_device_s_and_the_bundle_s(site: Site) -> None:
    engines, profiles = added(site.layout, "a" * 64).values()
    assert str(engines) == "/var/lib/edgekit/engines/aaaaaaaaaaaaaaaa"
    assert str(profiles) == "/var/lib/edgekit/profiles/aaaaaaaaaaaaaaaa"
    assert "lie in /var/lib/edgekit/engines/aaaa" in show([KeepApart(NEW, "a" * 64)], site.hands)[0]


def test_two_releases_of_one_bundle_have_the_same_ones(site: Site) -> None:
    for release in (OLD, NEW):
        (site.layout.release(release) / "bundle").mkdir(parents=True)
        KeepApart(release, "a" * 64).do(site.hands)
        KeepApart(release, "a" * 64).do(site.hands)
    links = [(site.layout.release(release) / "bundle" / "engines").readlink() for release in (OLD, NEW)]
    assert links == [Path("/var/lib/edgekit/engines/aaaaaaaaaaaaaaaa")] * 2
    assert (site.folder / "var/lib/edgekit/engines/aaaaaaaaaaaaaaaa").is_dir()


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
    engines = site.folder / "var/lib/edgekit/engines"
    assert sorted(path.name for path in engines.iterdir()) == [OLD[:16], NEW[:16]], "the one before is kept"
    site.installed(THIRD)
    assert sorted(path.name for path in engines.iterdir()) == [NEW[:16], THIRD[:16]]
    forget_added(Layout(site.folder / "empty"))
