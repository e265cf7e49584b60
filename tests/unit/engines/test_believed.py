"""Which forms an installed bundle believes: those that stand in its record as they are, and no others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgekit.bundle import Bundle
from edgekit.engines import believed
from edgekit.engines.believed import RECORD, believe, compile_again, digests, doubt, is_whole, record_for
from edgekit.errors import ConfigError
from edgekit.target import target
from tests.unit.engines.sealed import sealed


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """As an installer leaves it: its links lead out of it, to a record that is not there yet."""
    bundle = sealed(tmp_path / "bundle", target("rtx3050"))
    (tmp_path / "engines").mkdir()
    (tmp_path / "records").mkdir()
    (bundle.path / "engines").symlink_to(tmp_path / "engines")
    (bundle.path / RECORD).symlink_to(tmp_path / "records" / "one.json")
    return bundle


def form(bundle: Bundle, name: str = "f0") -> Path:
    """A form of a lock and a plan."""
    folder = bundle.path / "engines" / name
    folder.mkdir()
    (folder / "lock.json").write_text(f"{name}'s")
    (folder / "decoder.plan").write_text("a plan")
    return folder


def test_a_form_is_believed_once_it_was_noted(bundle: Bundle, tmp_path: Path) -> None:
    folder, record = form(bundle), tmp_path / "records" / "one.json"
    lock = folder / "lock.json"
    assert doubt(bundle, folder, lock) == f"the compiled form is not believed: it does not stand in {record}"
    assert (is_whole(bundle, folder), digests(bundle, folder)) == (False, {})
    believe(bundle, folder)
    assert (doubt(bundle, folder, lock), is_whole(bundle, folder), record_for(bundle)) == ("", True, record)
    assert sorted(digests(bundle, folder)) == ["decoder.plan", "lock.json"]
    assert (bundle.path / RECORD).is_symlink(), "the release stays as it is"


def test_what_was_changed_since_is_not_believed(bundle: Bundle) -> None:
    folder = form(bundle)
    believe(bundle, folder)
    (folder / "decoder.plan").write_text("A PLAN")
    assert not is_whole(bundle, folder)
    assert doubt(bundle, folder, folder / "lock.json") == "", "a plan is hashed as it is read, not before"
    (folder / "lock.json").write_text("another's")
    assert doubt(bundle, folder, folder / "lock.json").endswith("has another lock.json")


def test_forms_of_one_bundle_are_noted_beside_each_other_and_forgotten_with_their_folders(bundle: Bundle) -> None:
    first, second = form(bundle, "f0"), form(bundle, "f1")
    believe(bundle, first)
    believe(bundle, second)
    assert is_whole(bundle, first)
    first.rename(first.with_name("f2"))
    believe(bundle, second)
    assert (digests(bundle, first), is_whole(bundle, second)) == ({}, True)


def test_a_record_that_can_not_be_read_believes_nothing_and_is_written_anew(bundle: Bundle, tmp_path: Path) -> None:
    folder = form(bundle)
    believe(bundle, folder)
    (tmp_path / "records" / "one.json").write_text("{")
    assert "one.json" in doubt(bundle, folder, folder / "lock.json")
    assert not is_whole(bundle, folder)
    with pytest.raises(ConfigError, match=r"one\.json"):
        digests(bundle, folder)
    believe(bundle, folder)
    assert is_whole(bundle, folder)


def test_nobody_else_s_link_is_followed(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever owns a bundle would have root write over any file of the machine's."""
    folder, record = form(bundle), tmp_path / "records" / "one.json"
    assert record_for(bundle) == record
    with monkeypatch.context() as patch:
        patch.setattr(believed, "_trusted", lambda: {os.getuid() + 1})
        believe(bundle, folder)
        assert (record_for(bundle), record.exists()) == (None, False)
    bundle.path.chmod(0o777)
    assert record_for(bundle) is None, "anybody may have laid it there"


def test_a_bundle_that_is_not_installed_has_no_record(tmp_path: Path) -> None:
    bundle = sealed(tmp_path / "bundle", target("rtx3050"))
    (bundle.path / "engines").mkdir()
    folder = form(bundle)
    believe(bundle, folder)
    assert (doubt(bundle, folder, folder / "lock.json"), digests(bundle, folder)) == ("", {})
    assert is_whole(bundle, folder)
    assert compile_again(bundle) == f"Run: edgekit compile {bundle.path}"
    assert sorted(os.listdir(bundle.path)) == ["engines", "graphs", "manifest.json"]
