"""Bundles that tests share: built once, and no test writes into them unseen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgekit.engines.lock import compiled_form
from tests.embedded_bundles import EmbeddedBundles, listing


def test_a_bundle_is_built_once_and_a_copy_is_like_it(embedded_as: EmbeddedBundles, tmp_path: Path) -> None:
    bundle = embedded_as("q4")
    assert embedded_as("q4") is bundle
    copy = embedded_as.copy("q4", tmp_path / "copy")
    assert copy.digest == bundle.digest
    assert bool(compiled_form(copy)) == bool(compiled_form(bundle))
    assert embedded_as.changed() == []


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: (folder / "inner" / "new").touch(),
        lambda folder: (folder / "inner" / "old").write_text("other"),
        lambda folder: (folder / "inner" / "old").unlink(),
        lambda folder: (folder / "profiles").mkdir(),
    ],
    ids=["added", "written", "removed", "a folder"],
)
def test_what_is_written_shows(harm: Callable[[Path], object], tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "old").write_text("words")
    before = listing(tmp_path)
    assert listing(tmp_path) == before
    harm(tmp_path)
    assert listing(tmp_path) != before
