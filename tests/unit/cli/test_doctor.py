"""``edgekit doctor`` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgekit.cli import main as cli
from tests.unit.machine.recordings import ORIN6, ORIN7, VM, Recording, lay_cuda_provider

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Put a recorded machine in the place of this one."""

    def put(recording: Recording) -> None:
        lay_cuda_provider(tmp_path / "site")
        monkeypatch.setattr("edgekit.cli.doctor.Host", lambda: recording.at(tmp_path))

    return put


def test_json_names_every_finding_and_the_exit_code_is_the_verdict(on: object, capsys: Capture) -> None:
    assert callable(on)
    on(ORIN7)
    assert cli.main(["doctor", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document.keys() == {"target", "detected", "healthy", "findings"}
    assert (document["target"], document["detected"], document["healthy"]) == ("orin", "orin", True)
    assert all(finding.keys() == {"subject", "state", "what", "mend"} for finding in document["findings"])
    assert {finding["state"] for finding in document["findings"]} <= {"good", "bad", "unknown"}
    assert cli.main(["doctor", "--target", "rtx3050", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["target"], document["detected"], document["healthy"]) == ("rtx3050", "orin", False)


def test_people_see_marks_and_then_the_commands(on: object, capsys: Capture) -> None:
    assert callable(on)
    on(ORIN6)
    assert cli.main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("For target 'orin'\n")
    assert "✗  extra gpu" in out
    assert "✓  jetson" in out
    mending = out[out.index("To mend\n") :]
    assert "  extra gpu: pip uninstall -y onnxruntime onnxruntime-gpu; then install the wheel for JetPack 6" in mending
    assert out.rstrip().endswith("good.")


def test_a_target_that_there_is_not(on: object, capsys: Capture) -> None:
    assert callable(on)
    on(VM)
    assert cli.main(["doctor", "--target", "orni"]) == 1
    assert "Did you mean 'orin'?" in capsys.readouterr().err
