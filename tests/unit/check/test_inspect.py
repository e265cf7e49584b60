"""A bundle's compiled forms at a glance: for whom, of which bytes, and what was said of them."""

from __future__ import annotations

import os
from pathlib import Path

from edgekit import config
from edgekit.bundle import unsealed
from edgekit.check.inspect import inspect_bundle
from edgekit.check.verdict import Verdict
from edgekit.config.writing import write_json
from edgekit.engines.lock import ENGINES, LOCK, VERDICT, folder_of, write_lock
from edgekit.engines.place import Place
from tests.unit.check.case import MANIFEST, PERFECT

ELSEWHERE = Place(engine="onnxruntime", version="0.1", arch="s390x")


def test_each_form_has_its_place_and_its_verdict_the_newest_last(tmp_path: Path) -> None:
    bundle = unsealed(tmp_path, MANIFEST)
    folder, harmed = folder_of(bundle, ELSEWHERE), tmp_path / ENGINES / "harmed"
    for place in (folder, harmed):
        place.mkdir(parents=True)
        (place / "decoder.data").write_bytes(bytes(100))
    write_lock(bundle, folder, ELSEWHERE, "", 1.0, 1)
    (harmed / LOCK).write_text("{")
    said = Verdict(
        checked_at="2026-11-01T12:00:00Z",
        place=ELSEWHERE,
        shortfall="",
        figures=PERFECT,
        components=(),
        first_load_s=1.5,
    )
    write_json(folder / VERDICT, said)
    os.utime(folder, (2_000_000_000, 2_000_000_000))
    inspection = inspect_bundle(bundle)
    broken, whole = (form.document() for form in inspection.forms)
    assert (broken["place"], broken["check"], broken["bytes"]) == (None, None, 0)
    assert LOCK in broken["misfit"]
    assert (whole["folder"], whole["bytes"], whole["place"]) == (str(folder), 100, config.dump(ELSEWHERE))
    assert "an s390x processor" in whole["misfit"]
    assert whole["check"] == config.dump(said)


def test_the_document_says_whether_hashes_were_compared(tmp_path: Path) -> None:
    bundle = unsealed(tmp_path, MANIFEST)
    assert inspect_bundle(bundle).document() == {
        "path": str(tmp_path),
        "digest": bundle.digest,
        "verified": False,
        "compiled": [],
        "manifest": config.dump(bundle.manifest),
        "forced_at_install": [],
    }
    assert inspect_bundle(bundle, verified=True).document()["verified"]
