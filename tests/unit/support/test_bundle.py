"""A bundle's topics: what it is, what was measured and checked, and none of its graphs, questions or answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.bundle import open_bundle
from edgekit.errors import BundleError, EdgeKitError
from edgekit.profile.store import store
from edgekit.support import Subject
from edgekit.support.bundle import MOST, checks, manifest, measured
from edgekit.support.topic import Topic, part
from tests import specs
from tests.unit.profile.made import profile

Ask = Callable[..., Subject]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    specs.manifest_alone(tmp_path / "bundle")
    return tmp_path / "bundle"


def test_the_manifest_is_told_with_its_digest(bundle: Path, subject: Ask) -> None:
    told = json.loads(part(Topic("x", "", manifest), subject(bundle=bundle)).text)
    assert told["digest"] == open_bundle(bundle).digest
    assert told["manifest"]["source"] == open_bundle(bundle).manifest.source


def test_without_a_bundle_or_with_a_damaged_one_it_says_so(bundle: Path, subject: Ask) -> None:
    for read in (manifest, measured, checks):
        with pytest.raises(EdgeKitError, match="No bundle"):
            read(subject())
    (bundle / "manifest.json").write_text("{")
    with pytest.raises(BundleError):
        manifest(subject(bundle=bundle))


def test_the_newest_profiles_are_told_without_their_course(bundle: Path, subject: Ask) -> None:
    assert measured(subject(bundle=bundle)) == []
    for day in range(1, MOST + 3):
        store(open_bundle(bundle), replace(profile(), measured_at=f"2026-10-{day:02}T12:00:00Z"))
    (bundle / "profiles" / "notes.json").write_text('{"patient": "Mrs. Nobody"}')
    told = measured(subject(bundle=bundle))
    assert [document["made"][8:10] for document in told] == [f"{day:02}" for day in range(MOST + 2, 2, -1)]
    assert all("moments" not in document and document["sides"] for document in told)


def test_checks_are_told_of_the_build_and_of_every_form(bundle: Path, subject: Ask) -> None:
    form = bundle / "engines" / "abc"
    form.mkdir(parents=True)
    (form / "lock.json").write_text("damaged")
    told = checks(subject(bundle=bundle))
    assert "fidelity.json" in told["built"]["error"], "this bundle has no report"
    assert [(of["folder"], of["place"], of["check"]) for of in told["forms"]] == [("abc", None, None)]
    assert told["forms"][0]["misfit"]
