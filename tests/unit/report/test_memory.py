"""The published memory beside ours: shapes against the published bytes, plans against plans, and the command."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgekit import config
from edgekit.cli.main import main
from edgekit.plan import plan
from edgekit.plan.components import weights_in_memory
from edgekit.profile.record import SideMemory
from edgekit.recipe import recipe
from edgekit.report.memory import CONTEXT, SLOTS, variants
from edgekit.report.published import LLAVA_MED, TINYLLAVA, PublishedModel
from edgekit.target import target, targets
from edgekit.units import GIB
from tests.unit.plan import models
from tests.unit.profile.made import profile

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("model", "name", "size"),
    [
        (LLAVA_MED, "q4", 4_111_804_928),
        (LLAVA_MED, "q8", 7_558_718_464),
        (TINYLLAVA, "q4", 1_005_895_808),
        (TINYLLAVA, "q8", 1_507_795_584),
    ],
)
def test_shapes_are_the_published_ones(model: PublishedModel, name: str, size: int) -> None:
    """The bytes were reckoned from the models' config files, elsewhere."""
    assert sum(weights_in_memory(model.subject.kinds, recipe(name), 2).values()) == size


@pytest.mark.parametrize(("ours", "other"), [(LLAVA_MED, models.LLAVA_MED), (TINYLLAVA, models.TINYLLAVA)])
def test_plans_of_shapes_are_plans_of_checkpoints(ours: PublishedModel, other: Any) -> None:
    found = {(one.model, one.recipe): one for one in variants(targets())}
    for device in targets():
        one = replace(device, slots=SLOTS, context=CONTEXT)
        for name in ("fp16", "q8", "q4"):
            planned = plan(other, one, recipe(name))
            mine = found[ours.title, name].planned[device.name]
            assert (mine.static_bytes, mine.fits) == (planned.static_bytes, planned.fits)
            assert mine.dynamic_bytes == planned.dynamic_bytes


def test_the_published_four_bit_figures_are_beaten_on_every_card() -> None:
    for one in variants(targets()):
        if one.recipe == "q4":
            for name in ("rtx3050", "rtx3080"):
                assert one.published.static_bytes
                assert one.published.dynamic_bytes
                assert one.planned[name].static_bytes < 0.85 * one.published.static_bytes
                assert one.planned[name].dynamic_bytes < 0.85 * one.published.dynamic_bytes


def test_a_profile_stands_beside_its_variant_only() -> None:
    side = SideMemory("memory", GIB, 3 * GIB, 2 * GIB, "the kernel")
    made = profile(model="TinyLLaVA-1.5B", recipe="q4", sides=(side,))
    found = {(one.model, one.recipe): one.measured for one in variants([target("cpu")], [made, profile()])}
    assert [key for key, measured in found.items() if measured] == [("TinyLLaVA", "q4")]
    (ours,) = found["TinyLLaVA", "q4"].values()
    assert (ours.static_bytes, ours.dynamic_bytes, ours.peak_bytes) == (GIB, 2 * GIB, 3 * GIB)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "made.json"
    path.write_text(json.dumps(config.dump(profile(model="llava-med-v1.5-mistral-7b"))))
    return path


def test_the_command_shows_six_variants_and_what_was_measured(capsys: Capture, file: Path) -> None:
    assert main(["report", "memory"]) == 0
    out = capsys.readouterr().out
    assert "4.81/5.18" in out
    assert "measured" not in out
    assert max(len(line.rstrip()) for line in out.splitlines()) <= 100
    assert main(["report", "memory", str(file)]) == 0
    assert "Some processor, 2 × 1024" in capsys.readouterr().out
    assert main(["report", "memory", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["variants"]) == 6
    assert found["variants"][2]["published"]["static_bytes"] == 5_168_882_184


def test_the_command_draws(capsys: Capture, file: Path, tmp_path: Path) -> None:
    assert main(["report", "profile", str(file), "--out", str(tmp_path / "out"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["pictures"]
    assert len(found) == 2
    assert all(Path(picture).stat().st_size > 1000 for picture in found)


@pytest.mark.parametrize("what", ["none.json", "empty", "cut.json"])
@pytest.mark.parametrize("command", ["memory", "profile"])
def test_what_is_no_profile_is_one_clear_error(
    what: str, command: str, capsys: Capture, file: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "cut.json").write_text(file.read_text()[:400])
    assert main(["report", command, str(tmp_path / what)]) == 1
    err = capsys.readouterr().err
    assert what in err
    assert "Traceback" not in err
    assert "internal error" not in err
