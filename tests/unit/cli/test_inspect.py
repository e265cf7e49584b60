"""``edgekit inspect``: a checkpoint or a bundle, told apart by the manifest, and what is for one of them alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgekit.checkpoint.inspect import inspect
from edgekit.checkpoint.open import open_checkpoint
from edgekit.cli.main import main
from edgekit.phantom.embedded import embedded
from tests.rendered import rows
from tests.specs import manifest_alone

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return manifest_alone(tmp_path / "bundle").path


def test_a_checkpoint_is_told_by_its_parts(capsys: Capture) -> None:
    assert main(["inspect", str(embedded()), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == json.loads(json.dumps(inspect(open_checkpoint(embedded())).document()))
    assert main(["inspect", str(embedded())]) == 0
    assert ["part", "kind", "parameters", "stored as", "bytes"] in rows(capsys.readouterr().out)


@pytest.mark.parametrize("flags", [[], ["--verify"]])
def test_a_bundle_is_told_with_whether_its_hashes_were_compared(
    flags: list[str], bundle: Path, capsys: Capture
) -> None:
    assert main(["inspect", str(bundle), "--json", *flags]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["path"], document["verified"]) == (str(bundle), bool(flags))
    assert main(["inspect", str(bundle), *flags]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Verified: 1 files" if flags else "bundle of")
    assert ["contents", "as sealed"] in rows(out) or not flags


def test_what_is_for_the_other_is_wrong_usage(bundle: Path, capsys: Capture) -> None:
    assert main(["inspect", str(bundle), "--vision", "v"]) == 2
    assert "--vision is for checkpoints" in capsys.readouterr().err
    assert main(["inspect", str(embedded()), "--verify"]) == 2
    assert "--verify is for bundles" in capsys.readouterr().err
