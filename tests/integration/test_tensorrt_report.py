"""``report engines`` about bundles of a simulated device, and about what it told before, elsewhere."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit import machine
from edgekit.bundle import open_bundle
from edgekit.cli.main import main
from edgekit.engines.lock import ENGINES
from edgekit.machine.gpus import Gpu
from edgekit.profile.profile import device_here
from edgekit.profile.record import ProfiledDevice, RowRate
from edgekit.profile.store import store
from edgekit.target import target
from edgekit.units import GIB, MIB
from tests.edited import unsealed
from tests.simulated_tensorrt.machine import CARD, simulate
from tests.unit.profile.made import profile, spread

Capture = pytest.CaptureFixture[str]
RATES = {"fp16": 40.0, "q8": 60.0, "q4": 30.0}
LARGE = Gpu("NVIDIA GeForce RTX 3080 Laptop GPU", "8.6", 16 * GIB, "590.1")
AHEAD = "any GPU of compute capability 8.6"


def built(out: Path, *more: str) -> str:
    """Builds, with plans where there is a GPU or an RTX; the newest form's fingerprint."""
    assert main(["build", "--target", "rtx3050", "--out", str(out), *more]) == 0
    return newest(out)


def newest(out: Path) -> str:
    return max((out / ENGINES).iterdir(), key=lambda folder: folder.stat().st_mtime).name


def here() -> ProfiledDevice:
    return device_here(target("rtx3050"), machine.look())


def profiled(out: Path, form: str, device: ProfiledDevice, rate: float, made: str = "2026-11-01T12:00:00Z") -> None:
    """As if it had been measured: a profile's own phases are other processes, which nothing simulates."""
    opened = open_bundle(out)
    rows = RowRate(1, spread(rate)), RowRate(4, spread(3 * rate))
    recipe, model = opened.manifest.recipe.name, opened.manifest.source
    store(opened, profile(recipe=recipe, model=model, device=device, rows=rows, form=form, made=made))


def told(capsys: Capture, *sources: Path) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main(["report", "engines", *map(str, sources), "--json"]) == 0
    runs: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["runs"]
    return runs


def shown(capsys: Capture, *sources: Path) -> str:
    capsys.readouterr()
    assert main(["report", "engines", *map(str, sources)]) == 0
    return " ".join(capsys.readouterr().out.split())


def rate(run: dict[str, Any]) -> float | None:
    return run["speed"]["rows"][0]["tokens_per_s"]["median"] if run["speed"] else None


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Made on the card, each with profiles of it; q4 is slow there."""
    folder, found = tmp_path_factory.mktemp("device"), {}
    with pytest.MonkeyPatch.context() as patch:
        simulate(folder, patch, CARD)
        for name, speed in RATES.items():
            found[name] = folder / name
            form = built(found[name], "--recipe", name)
            profiled(found[name], form, here(), 1.0, "2026-10-01T12:00:00Z")
            profiled(found[name], form, here(), speed)
    return found


def test_recipes_stand_beside_each_other(bundles: dict[str, Path], capsys: Capture) -> None:
    runs = {run["recipe"]: run for run in told(capsys, *bundles.values())}
    assert {name: run["beside_fp16"] for name, run in runs.items()} == {"fp16": None, "q8": 1.5, "q4": 0.75}
    assert {name: run["decoder"] for name, run in runs.items()} == {"fp16": "fp16", "q8": "int8", "q4": "int4"}
    for name, run in runs.items():
        (folder,) = (bundles[name] / ENGINES).iterdir()
        assert run["plans"] == json.loads((folder / "plans.json").read_text())
        assert run["check"] == unsealed(folder / "check.json")
        assert (run["device"], rate(run)) == (CARD.name, RATES[name])
        assert run["speed"]["shares"][0] == pytest.approx(RATES[name] * 512 * MIB / 168e9)


def test_a_device_s_report_is_read_without_its_bundles(
    bundles: dict[str, Path], capsys: Capture, tmp_path: Path
) -> None:
    kept = tmp_path / "device.json"
    kept.write_text(json.dumps({"runs": told(capsys, bundles["q4"])}))
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"runs": told(capsys, bundles["fp16"], bundles["q8"])}))
    assert told(capsys, kept, other, bundles["q4"]) == told(capsys, bundles["q4"], bundles["fp16"], bundles["q8"])
    said = shown(capsys, kept, other)
    assert "30 (4: 90) 0.75 times" in said
    assert f"{bundles['q4']}, on {CARD.name}: by q4 it decodes no faster than by fp16 (0.75 times)" in said
    assert "Of fp16, q4, q8 the fastest is q8; ONNX Runtime has kernels of its own" in said
    assert f"{bundles['q8']}, on {CARD.name}: by q8" not in said


def test_q8_is_to_be_measured_where_it_was_not(bundles: dict[str, Path], capsys: Capture) -> None:
    assert "Of fp16, q4 the fastest is fp16; measure --recipe q8 as well;" in shown(
        capsys, bundles["q4"], bundles["fp16"]
    )


def test_plans_stand_alone_where_nothing_was_measured_and_a_profile_where_nothing_is_compiled(
    bundles: dict[str, Path], capsys: Capture, tmp_path: Path
) -> None:
    plans, speed = (Path(shutil.copytree(bundles["q8"], tmp_path / name)) for name in ("plans", "a speed"))
    shutil.rmtree(plans / "profiles")
    shutil.rmtree(speed / ENGINES)
    (one,) = told(capsys, plans)
    assert (bool(one["plans"]), one["speed"]) == (True, None)
    (one,) = told(capsys, speed)
    assert (one["plans"], one["check"], rate(one)) == ({}, None, RATES["q8"])
    shutil.rmtree(speed / "profiles")
    assert main(["report", "engines", str(speed)]) == 1
    assert f"Run: edgekit compile '{speed}', or edgekit profile '{speed}'" in capsys.readouterr().err


def test_a_speed_belongs_to_the_plans_that_ran(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Built ahead, then on the card: both lie in the bundle, and the second is used there."""
    with monkeypatch.context() as patch:
        (tmp_path / "a").mkdir()
        simulate(tmp_path / "a", patch)
        ahead = built(tmp_path / "bundle")
    (tmp_path / "b").mkdir()
    simulate(tmp_path / "b", monkeypatch, CARD)
    assert main(["compile", str(tmp_path / "bundle")]) == 0
    (own,) = {path.name for path in (tmp_path / "bundle" / ENGINES).iterdir()} - {ahead}
    profiled(tmp_path / "bundle", own, here(), 45.0)
    for later in (ahead, own):  # a copy may have given either the later time
        os.utime(tmp_path / "bundle" / ENGINES / later)
        found = {run["device"]: (rate(run), bool(run["check"])) for run in told(capsys, tmp_path / "bundle")}
        assert found == {AHEAD: (None, False), CARD.name: (45.0, True)}


def test_plans_built_ahead_are_told_of_each_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """The same plans on two cards: neither hides the other, and fp16 on one says nothing of q4 on the other."""
    simulate(tmp_path, monkeypatch)
    devices = {card.name: replace(here(), gpu=card.name, driver=card.driver) for card in (CARD, LARGE)}
    forms = {name: built(tmp_path / name, "--recipe", name) for name in ("q4", "fp16")}
    profiled(tmp_path / "q4", forms["q4"], devices[CARD.name], 45.0)
    profiled(tmp_path / "q4", forms["q4"], devices[LARGE.name], 80.0)
    profiled(tmp_path / "fp16", forms["fp16"], devices[LARGE.name], 100.0)
    runs = told(capsys, tmp_path / "q4", tmp_path / "fp16")
    assert {(run["recipe"], run["device"]): (rate(run), run["beside_fp16"]) for run in runs} == {
        ("q4", CARD.name): (45.0, None),
        ("q4", LARGE.name): (80.0, 0.8),
        ("fp16", LARGE.name): (100.0, None),
    }


def test_the_newest_profile_of_a_device_counts(
    bundles: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Though one in between was measured under another limit of memory, which is another machine to a profile."""
    simulate(tmp_path, monkeypatch, CARD)
    out = Path(shutil.copytree(bundles["q4"], tmp_path / "bundle"))
    limited = replace(here(), memory_bytes=GIB)
    for form in (newest(out), ""):
        shutil.rmtree(out / "profiles")
        for device, speed, made in ((here(), 1.0, "01"), (limited, 2.0, "02"), (here(), 3.0, "03")):
            profiled(out, form, device, speed, f"2026-11-{made}T12:00:00Z")
        assert [rate(run) for run in told(capsys, out) if run["speed"]] == [3.0]


def test_plans_that_would_not_be_used_say_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    out = tmp_path / "bundle"
    with monkeypatch.context() as patch:
        (tmp_path / "a").mkdir()
        simulate(tmp_path / "a", patch, CARD)
        built(out)
        assert [run["misfit"] for run in told(capsys, out)] == [""]
    (tmp_path / "b").mkdir()
    simulate(tmp_path / "b", monkeypatch, replace(CARD, driver="590.1"))
    assert main(["compile", str(out)]) == 0
    assert sorted(run["misfit"] for run in told(capsys, out)) == [
        "",
        "the compiled form is for driver 580.95.05, here 590.1",
    ]
    assert f"{out}, on {CARD.name}: not used where this was told: the compiled form is for driver" in shown(capsys, out)


def test_what_was_measured_anew_takes_the_place_of_what_was_told(
    bundles: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    simulate(tmp_path, monkeypatch, CARD)
    out, earlier = Path(shutil.copytree(bundles["fp16"], tmp_path / "bundle")), tmp_path / "earlier.json"
    shutil.rmtree(out / "profiles")
    for speed, day in ((None, ""), (20.0, "20"), (40.0, "30")):
        if speed:
            profiled(out, newest(out), here(), speed, f"2026-11-{day}T12:00:00Z")
        for sources in ([out], [earlier, out], [out, earlier]):
            if all(source.exists() for source in sources):
                assert [rate(run) for run in told(capsys, *sources)] == [speed]
        earlier.write_text(json.dumps({"runs": told(capsys, out)}))


def test_devices_that_are_alike_in_everything_are_told_apart(
    bundles: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Two of a kind with their bundles at the same place: a path is one machine's."""
    files = []
    for name in ("ward-1", "ward-2"):
        monkeypatch.setattr("platform.node", lambda name=name: name)
        files.append(tmp_path / f"{name}.json")
        files[-1].write_text(json.dumps({"runs": told(capsys, bundles["q4"])}))
        assert name not in files[-1].read_text()
    assert [rate(run) for run in told(capsys, *files, *files)] == [30.0, 30.0]


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda folder: (folder / "lock.json").write_text("{"), "lock.json is not valid JSON"),
        (lambda folder: (folder / "plans.json").unlink(), "plans.json can't be read"),
        (lambda folder: (folder / "plans.json").write_text('{"vision": 1}'), "plans.json"),
        (lambda folder: (folder / "decoder.plan").unlink(), "decoder.plan of the compiled form is missing"),
    ],
)
def test_harmed_plans_do_not_hide_the_rest(
    harm: Callable[[Path], object], said: str, bundles: dict[str, Path], tmp_path: Path, capsys: Capture
) -> None:
    out = Path(shutil.copytree(bundles["q4"], tmp_path / "bundle"))
    harm(out / ENGINES / newest(out))
    text = shown(capsys, out, bundles["q4"], bundles["fp16"])
    assert said in text
    assert text.count("30 (4: 90) 0.75 times") == (
        1 if said.startswith("lock") else 2
    )  # whose engine is not known then
    assert [rate(run) for run in told(capsys, out)] == [30.0]


def test_a_site_s_mistake_costs_no_figure_of_plans(
    bundles: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (tmp_path / "engines.toml").write_text("[tensorrt\n")
    monkeypatch.setattr("edgekit.engines.coefficients.site_file", lambda name: tmp_path / name)
    (run,) = told(capsys, bundles["q4"])
    assert (len(run["plans"]), run["width"] > 0) == (3, True)
    assert "engines.toml is not valid TOML" in run["doubts"][0]


def test_a_report_without_rates_is_refused(bundles: dict[str, Path], tmp_path: Path, capsys: Capture) -> None:
    runs = told(capsys, bundles["q4"])
    runs[0]["speed"]["rows"] = []
    (tmp_path / "report.json").write_text(json.dumps({"runs": runs}))
    assert main(["report", "engines", str(tmp_path / "report.json")]) == 1
    assert "a speed has no rows" in capsys.readouterr().err


def test_answers_that_fall_short_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    simulate(tmp_path, monkeypatch, CARD)
    project = "edgekit.engines.tensorrt.engine.TensorRtEngine.project"
    monkeypatch.setattr(project, lambda self, features: np.zeros((*features.shape[:2], self._hidden), np.float16))
    out = tmp_path / "bundle"
    built(out, "--force")
    said = shown(capsys, out)
    assert " % ✗" in said
    assert f"{out}, on {CARD.name}: The answers fall short" in said
