"""What a service needs of an environment, by what packages say of each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.deploy.site.needed import helpful_extras, needed
from edgekit.errors import EdgeKitError, MissingExtra
from edgekit.target.kinds import KINDS
from tests.installed import install

REQUIRES = (
    "numbers>=2",
    "old; python_version < '3'",
    "server[fast]>=1; extra == 'serve'",
    "films; extra == 'dicom'",
    "cards>=3; extra == 'gpu'",
    "trainer; extra == 'tune'",
)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """An environment with all but the optional."""
    install(tmp_path, "edgekit", requires=REQUIRES, extras=("serve", "dicom", "gpu", "tune"))
    install(tmp_path, "numbers", "2.1")
    install(tmp_path, "server", requires=("Wire_Format", "loops; extra == 'fast'", "docs; extra == 'docs'"))
    install(tmp_path, "wire-format", requires=("server",))
    install(tmp_path, "loops")
    install(tmp_path, "trainer")
    install(tmp_path, "unrelated")
    return tmp_path


def names(site: Path, *helpful: str) -> list[str]:
    return [one.metadata["Name"] for one in needed(helpful, [str(site)])]


def test_what_is_required_is_followed_and_nothing_else(site: Path) -> None:
    assert names(site) == ["edgekit", "loops", "numbers", "server", "wire-format"]


def test_of_what_helps_what_is_there_is_taken(site: Path) -> None:
    assert names(site, "dicom", "gpu") == names(site)
    install(site, "films", requires=("silver",))
    install(site, "silver")
    assert set(names(site, "dicom", "gpu")) - set(names(site)) == {"films", "silver"}


def test_what_is_missing_is_named_with_what_to_do(site: Path) -> None:
    (site / "loops-1.dist-info" / "METADATA").unlink()
    (site / "loops-1.dist-info").rename(site / "gone")
    with pytest.raises(EdgeKitError, match="server needs loops, which is not installed") as caught:
        names(site)
    assert "pip install 'loops'" in caught.value.hint
    (site / "server-1.dist-info").rename(site / "gone too")
    with pytest.raises(MissingExtra, match="'serve'"):
        names(site)


def test_a_version_that_does_not_do_is_refused(site: Path) -> None:
    (site / "numbers-2.1.dist-info").rename(site / "gone")
    install(site, "numbers", "1.9")
    with pytest.raises(EdgeKitError, match=r"edgekit needs numbers>=2, and 1\.9 is installed"):
        names(site)


def test_what_nobody_can_read_is_passed_over(site: Path) -> None:
    before = names(site)
    (site / "server-1.dist-info").rename(site / "gone")
    requires = ("wire-format", "loops; extra == 'fast'", "loops (of some kind)")
    install(site, "server", "our_build", requires=requires, extras=("fast",))
    assert names(site) == before


def test_one_build_of_the_runtime_stands_for_the_other(tmp_path: Path) -> None:
    install(tmp_path, "edgekit", requires=("onnxruntime>=1.2",))
    install(tmp_path, "onnxruntime-gpu", "1.3")
    assert names(tmp_path) == ["edgekit", "onnxruntime-gpu"]


def test_edgekit_itself_has_to_be_installed(tmp_path: Path) -> None:
    with pytest.raises(EdgeKitError, match="runs from its source") as caught:
        names(tmp_path)
    assert "--wheels" in caught.value.hint


def test_extras_of_gpus_are_for_engines_on_them() -> None:
    for name, kind in KINDS.items():
        assert ("gpu" in helpful_extras(name)) == kind.on_gpu
        assert "tune" not in helpful_extras(name)
