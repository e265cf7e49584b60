"""``edgekit check``: what is compared first, which engine is asked, and when falling short is an error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgekit.bundle import Bundle
from edgekit.check import Checked
from edgekit.cli.main import main
from edgekit.engines.verify import Verified
from edgekit.profile.checked import DeviceCheck
from tests.specs import manifest_alone
from tests.unit.check.case import DECODER, VISION, checked
from tests.unit.profile.made import DEVICE

Capture = pytest.CaptureFixture[str]
VERIFIED = Verified(files=1, bytes=10, seconds=0.1, unsealed=())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return manifest_alone(tmp_path / "bundle").path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What was verified and by which engine it was asked; ``result`` is what the check says."""
    calls: dict[str, Any] = {"result": checked(DECODER), "verified": 0}

    def verify(bundle: Bundle, progress: object) -> Verified:
        calls["verified"] += 1
        return VERIFIED

    def check(bundle: Bundle, verified: Verified | None, *, processor: bool, progress: object) -> DeviceCheck:
        calls["processor"] = processor
        result: Checked = calls["result"]
        return DeviceCheck(result, DEVICE, verified)

    monkeypatch.setattr("edgekit.engines.verify.verify_everything", verify)
    monkeypatch.setattr("edgekit.profile.checked.check_on_device", check)
    return calls


def test_every_file_is_compared_before_the_engine_here_is_asked(
    path: Path, asked: dict[str, Any], capsys: Capture
) -> None:
    assert main(["check", str(path)]) == 0
    assert (asked["verified"], asked["processor"]) == (1, False)
    out = capsys.readouterr().out
    assert out.startswith("Verified: 1 files")
    assert "component alone" in out


def test_neither_is_done_where_it_is_not_asked_for(path: Path, asked: dict[str, Any], capsys: Capture) -> None:
    assert main(["check", str(path), "--no-verify", "--processor", "--json"]) == 0
    assert (asked["verified"], asked["processor"]) == (0, True)
    out, err = capsys.readouterr()
    assert json.loads(out)["verified"] is None
    assert "Warning: --no-verify" in err


@pytest.mark.parametrize(("flags", "code", "said"), [([], 3, "Error: The"), (["--force"], 0, "Forced: The")])
def test_falling_short_is_refused_unless_forced_and_told_both_ways(
    flags: list[str], code: int, said: str, path: Path, asked: dict[str, Any], capsys: Capture
) -> None:
    asked["result"] = checked(VISION)
    assert main(["check", str(path), "--json", *flags]) == code
    out, err = capsys.readouterr()
    assert json.loads(out)["worst"] == "vision"
    assert f"{said} answers fall short" in err
    assert ("Widen it." in err) == (code == 3)


def test_force_says_nothing_where_nothing_falls_short(path: Path, asked: dict[str, Any], capsys: Capture) -> None:
    assert main(["check", str(path), "--force"]) == 0
    assert "Forced" not in capsys.readouterr().err
