"""``report engines`` about bundles of a simulated device, and about what it told before, elsewhere."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit.bundle import open_bundle
from edgekit.cli.main import main
from edgekit.engines.lock import ENGINES
from edgekit.profile.profile import device_here
from edgekit.profile.record import RowRate
from edgekit.profile.store import store
from edgekit.target import target
from edgekit.units import MIB
from tests.simulated_tensorrt.machine import CARD, simulate
from tests.unit.profile.made import profile, spread

Capture = pytest.CaptureFixture[str]
RATES = {"fp16": 40.0, "q8": 60.0, "q4": 30.0}


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """On the card, each with a profile of it; q4 is slow there."""
    folder, found = tmp_path_factory.mktemp("device"), {}
    with pytest.MonkeyPatch.context() as patch:
        simulate(folder, patch, CARD)
        card = replace(device_here(target("rtx3050")), engine_version="tensorrt_rtx 1.0, tensorrt 10.3.0")
        for name, rate in RATES.items():
            found[name] = folder / name
            assert main(["build", "--target", "rtx3050", "--recipe", name, "--out", str(found[name])]) == 0
            opened = open_bundle(found[name])
            rows = RowRate(1, spread(rate)), RowRate(4, spread(3 * rate))
            made = profile(recipe=name, model=opened.manifest.source, device=card, rows=rows)
            store(opened, replace(made, made="2026-10-01T12:00:00Z", rows=(RowRate(1, spread(1.0)),)))
            store(opened, made)
    return found


def told(capsys: Capture, *sources: Path) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main(["report", "engines", *map(str, sources), "--json"]) == 0
    runs: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["runs"]
    return runs


def test_recipes_stand_beside_each_other(bundles: dict[str, Path], capsys: Capture) -> None:
    runs = {run["recipe"]: run for run in told(capsys, *bundles.values())}
    assert {name: run["beside_fp16"] for name, run in runs.items()} == {"fp16": None, "q8": 1.5, "q4": 0.75}
    for name, run in runs.items():
        (folder,) = (bundles[name] / ENGINES).iterdir()
        assert run["plans"] == json.loads((folder / "plans.json").read_text())
        assert run["check"] == json.loads((folder / "check.json").read_text())
        assert (run["device"], run["speed"]["rows"][0]["tokens_per_s"]["median"]) == (CARD.name, RATES[name])
        assert run["speed"]["shares"][0] == pytest.approx(RATES[name] * 512 * MIB / 168e9)


def test_a_device_s_report_is_read_without_its_bundles(
    bundles: dict[str, Path], capsys: Capture, tmp_path: Path
) -> None:
    kept = tmp_path / "device.json"
    kept.write_text(json.dumps({"runs": told(capsys, bundles["q4"])}))
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"runs": told(capsys, bundles["fp16"], bundles["q8"])}))
    assert told(capsys, kept, other, bundles["q4"]) == told(capsys, bundles["q4"], bundles["fp16"], bundles["q8"])
    assert main(["report", "engines", str(kept), str(other)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"{CARD.name} " in said
    assert "30 (4: 90) 0.75 times" in said
    assert f"{bundles['q4']}: by q4 it decodes no faster than by fp16 (0.75 times)" in said
    assert "Build it with --recipe q8, or for a copy of the target's file" in said
    assert str(bundles["q8"]) not in said


def test_plans_stand_alone_where_nothing_was_measured_and_a_profile_where_nothing_is_compiled(
    bundles: dict[str, Path], capsys: Capture, tmp_path: Path
) -> None:
    plans, speed = (shutil.copytree(bundles["q8"], tmp_path / name) for name in ("plans", "speed"))
    shutil.rmtree(plans / "profiles")
    shutil.rmtree(speed / ENGINES)
    (one,) = told(capsys, plans)
    assert (bool(one["plans"]), one["speed"]) == (True, None)
    (one,) = told(capsys, speed)
    assert (one["plans"], one["check"], bool(one["speed"])) == ({}, None, True)
    shutil.rmtree(speed / "profiles")
    assert main(["report", "engines", str(speed)]) == 1
    assert "has neither engines nor a profile" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "[]", '{"runs": [{}]}', '{"runs": [{"bundle": 3}]}'])
def test_what_is_no_report_is_one_clear_error(text: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "report.json").write_text(text)
    assert main(["report", "engines", str(tmp_path / "report.json")]) == 1
    assert str(tmp_path / "report.json") in capsys.readouterr().err


def test_answers_that_fall_short_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    simulate(tmp_path, monkeypatch, CARD)
    project = "edgekit.engines.tensorrt.engine.TensorRtEngine.project"
    monkeypatch.setattr(project, lambda self, features: np.zeros((*features.shape[:2], self._hidden), np.float16))
    out = tmp_path / "bundle"
    assert main(["build", "--target", "rtx3050", "--out", str(out), "--force"]) == 0
    capsys.readouterr()
    assert main(["report", "engines", str(out)]) == 0
    said = capsys.readouterr().out
    assert " % ✗" in said
    assert f"{out}: The answers fall short" in said


def test_a_new_check_replaces_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    simulate(tmp_path, monkeypatch, CARD)
    out = tmp_path / "bundle"
    assert main(["build", "--target", "rtx3050", "--out", str(out)]) == 0
    (kept,) = (out / ENGINES).glob("*/check.json")
    kept.write_text("{")
    assert told(capsys, out)[0]["check"] is None
    assert main(["check", str(out)]) == 0
    assert told(capsys, out)[0]["check"] == json.loads(kept.read_text())
