"""``edgekit compile``: what it tells of a form, of doubts about it, and of plans that must not be relied on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgekit.cli.main import main
from edgekit.pipeline import Prepared
from edgekit.target import target
from tests.specs import manifest_alone
from tests.unit.pipeline.case import LACKS, bundle, checked, compiled

Capture = pytest.CaptureFixture[str]
CARD = bundle(target("rtx3050"))


@pytest.mark.parametrize(
    ("prepared", "code"),
    [
        (Prepared(bundle(target("cpu")), compiled(plans=False)), 0),
        (Prepared(CARD, compiled(plans=True), checked=checked(0.0)), 0),
        (Prepared(CARD, compiled(plans=True), checked=checked(0.5)), 3),
        (Prepared(CARD, compiled(plans=True), unasked=LACKS), 1),
    ],
    ids=["a processor's form", "plans", "wrong answers", "no answers"],
)
def test_the_form_is_told_before_the_verdict(
    prepared: Prepared, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    path = manifest_alone(tmp_path / "bundle").path
    monkeypatch.setattr("edgekit.pipeline.prepare", lambda opened, progress: prepared)
    assert main(["compile", str(path), "--json"]) == code
    out, err = capsys.readouterr()
    assert json.loads(out) == json.loads(json.dumps(prepared.document()))
    assert ("slow\n" in err) == bool(prepared.doubts)
    assert ("Error: " in err) == (code > 0)
    assert main(["compile", str(path)]) == code
    assert "engines/f: 5 B in 1.2 s" in capsys.readouterr().out


def test_what_is_no_bundle_is_one_clear_error(tmp_path: Path, capsys: Capture) -> None:
    assert main(["compile", str(tmp_path)]) == 1
    assert "is not a bundle" in capsys.readouterr().err
