"""`edgekit profile` on the embedded model: the whole way, against its plan, its budget, and other people's counts."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from edgekit.bundle import Bundle
from edgekit.cli.main import main
from edgekit.inputs.images import load_image
from edgekit.inputs.prompt import Turn
from edgekit.profile import against_plan, load_profile, profile
from edgekit.profile.asking import draw_pictures
from edgekit.profile.footprint import Footprint
from edgekit.profile.gate import latest
from edgekit.profile.latency import rates
from edgekit.profile.record import Profile
from edgekit.profile.weights import counted_weights
from edgekit.recipe import recipe
from edgekit.runtime.model import Model
from edgekit.units import MIB
from tests.embedded_bundles import EmbeddedBundles

Capture = pytest.CaptureFixture[str]
FAST = 0.05  # seconds for each figure


@pytest.fixture(scope="module")
def bundle(embedded_as: EmbeddedBundles, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return embedded_as.copy("q4", tmp_path_factory.mktemp("profiled") / "q4")


@pytest.fixture(scope="module")
def made(bundle: Bundle) -> Profile:
    return profile(bundle, seconds=FAST)


def test_weights_are_planned_to_the_byte(made: Profile, bundle: Bundle) -> None:
    assert made.memory.weights == counted_weights(bundle)
    assert set(made.memory.weights) == {"vision", "projector", "embedding", "decoder", "lm_head"}
    for name, size in made.memory.weights.items():
        assert made.planned.components[name] == size
    assert made.planned.components["kv_arena"] == made.memory.components["kv_arena"]


@pytest.mark.parametrize("name", ["fp32", "fp16", "q8"])
def test_every_recipe_s_weights_are_planned_to_the_byte(name: str, embedded_as: EmbeddedBundles) -> None:
    from edgekit.plan import plan

    built = embedded_as(name)
    counted = counted_weights(built)
    planned = plan(built, built.manifest.target, recipe(name)).components
    assert counted == {part: planned[part] for part in counted}


def test_the_plan_misses_5_per_cent_at_most_after_loading_and_10_at_the_peak(made: Profile) -> None:
    errors = {figure.name: abs(figure.error) for figure in against_plan(made)}
    assert errors["static"] <= 0.05
    assert errors["dynamic"] <= 0.10
    assert 10 * MIB < made.memory.library_bytes < 120 * MIB


def test_figures_are_in_the_order_in_which_they_must_be(made: Profile) -> None:
    (side,) = made.memory.sides
    assert 0 < side.static_bytes <= side.mean_peak_bytes <= side.dynamic_bytes
    assert 0 < made.speed.times.encode_ms.median < made.speed.times.first_token_ms.median
    assert made.speed.times.second_turn_ms.median < made.speed.times.first_token_ms.median
    assert made.speed.times.inter_token_ms.count >= 3 * 63
    assert [rate.rows for rate in made.speed.rows] == [1, 2]
    assert all(rate.tokens_per_s.least > 0 for rate in made.speed.rows)
    assert made.speed.load_warm_s.count == 3
    assert {moment.phase for moment in made.memory.moments} >= {"opening", "questions", "full contexts"}
    most = side.dynamic_bytes + made.memory.library_bytes + 4 * MIB
    assert max(moment.own_bytes + moment.mapped_bytes for moment in made.memory.moments) <= most


def test_two_rows_together_are_faster_than_one(bundle: Bundle, tmp_path: Path) -> None:
    """The best of rounds in turn: others' work slows rounds down, and speeds none up."""
    (picture,) = draw_pictures(tmp_path, 1)
    turn = Turn("What is it?", images=(load_image(picture),))
    best = {1: 0.0, 2: 0.0}
    with Model.open(bundle.path, 2) as model:
        for _ in range(6):
            for rate in rates(model, turn, FAST):
                best[rate.rows] = max(best[rate.rows], rate.tokens_per_s.most)
    assert best[2] > best[1]


def test_it_is_kept_in_the_bundle_and_the_gate_finds_it(made: Profile, bundle: Bundle) -> None:
    (path,) = [path for path in (bundle.path / "profiles").iterdir() if path.stem.endswith(_stamp(made))]
    assert load_profile(path) == made
    found = latest(bundle)
    assert found
    assert found.bundle.digest == bundle.digest


def _stamp(made: Profile) -> str:
    return made.measured_at.replace("-", "").replace(":", "")


def test_the_measuring_process_tells_peaks_that_can_be(bundle: Bundle, tmp_path: Path) -> None:
    from edgekit import config
    from edgekit.child import environment, python
    from edgekit.profile.asking import draw_pictures

    pictures = draw_pictures(tmp_path, 2)
    command = python("edgekit.profile", "footprint", str(bundle.path), "2", "0.1", "Describe the image.")
    with subprocess.Popen(
        [*command, *map(str, pictures)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(), text=True
    ) as child:
        assert child.stdout
        told = json.loads(child.stdout.read().splitlines()[-1])
    found: Footprint = config.load(Footprint, told[1], "the footprint")
    assert found.static_bytes <= max(peak.host_bytes for peak in found.peaks)
    assert found.kv_bytes == 4 << 20
    weights = sum(counted_weights(bundle).values())
    assert all(weights <= peak.weights_bytes < 1.1 * weights + MIB for peak in found.peaks)


def test_an_interruption_leaves_no_profile_and_no_process(bundle: Bundle) -> None:
    before = set((bundle.path / "profiles").glob("*"))
    command = [sys.executable, "-m", "edgekit", "profile", str(bundle.path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        while not psutil.Process(process.pid).children():  # a phase is measured in one
            time.sleep(0.05)
        process.send_signal(2)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert set((bundle.path / "profiles").glob("*")) == before


def test_a_table_is_fitted_from_profiles_and_plans_by_it_are_right(
    capsys: Capture, bundle: Bundle, made: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = next((bundle.path / "profiles").glob(f"*{_stamp(made)}.json"))
    for given in (bundle.path, file):
        assert main(["plan", "--fit", str(given), "--out", str(tmp_path / "engines.toml")]) == 0
    assert "planned now" in capsys.readouterr().out
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path))
    assert main(["plan", str(bundle.path), "--json"]) == 0
    planned = json.loads(capsys.readouterr().out)
    assert planned["static_bytes"] == pytest.approx(made.static_bytes, rel=0.02)
    assert planned["dynamic_bytes"] == pytest.approx(made.dynamic_bytes, rel=0.06)


def test_what_can_not_be_fitted_is_one_clear_error(
    capsys: Capture, bundle: Bundle, made: Profile, tmp_path: Path
) -> None:
    assert main(["plan", "--fit"]) == 2
    alone = tmp_path / "alone.json"
    alone.write_text(next((bundle.path / "profiles").glob("*.json")).read_text())
    assert main(["plan", "--fit", str(alone)]) == 1  # its bundle is not with it
    (tmp_path / "cut.json").write_text(alone.read_text()[:500])
    assert main(["plan", "--fit", str(tmp_path / "cut.json")]) == 1
    assert main(["plan", "--fit", str(tmp_path / "none.json")]) == 1
    assert main(["plan", str(bundle.path), str(bundle.path)]) == 2
    err = capsys.readouterr().err
    assert "Traceback" not in err
    assert "internal error" not in err
