"""The whole way to an RTX card's plans where there is no card: build, compile again, and a plan that was harmed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgekit.bundle import open_bundle
from edgekit.cli.main import main
from edgekit.engines.lock import ENGINES, forms
from tests.checkpoints import DecoderKind, TowerKind, write_checkpoint

pytestmark = pytest.mark.system
pytest.importorskip("tensorrt_rtx", reason="TensorRT-RTX is not installed", exc_type=ImportError)

Capture = pytest.CaptureFixture[str]
PLANS = ("decoder.plan", "projector.plan", "vision.plan")


@pytest.mark.parametrize(("name", "recipe"), [("rtx3050", "q4"), ("rtx3080", "q8"), ("rtx3080", "fp16")])
def test_a_card_s_bundle_is_built_with_its_plans(name: str, recipe: str, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "bundle"
    assert main(["build", "--target", name, "--recipe", recipe, "--out", str(out)]) == 0
    assert "TensorRT's engines are built" in capsys.readouterr().out
    (form,) = forms(open_bundle(out))
    assert form.lock is not None
    assert form.lock.place.compute_capability == "8.6"
    assert {*PLANS} < set(form.lock.files)
    record = json.loads((form.folder / "plans.json").read_text())
    assert record["decoder"]["peak_bytes"] > 100 << 20
    before = {plan: (form.folder / plan).stat().st_ino for plan in PLANS}
    assert main(["compile", str(out)]) == 0
    assert [compiled.folder for compiled in forms(open_bundle(out))] == [form.folder]
    assert before != {plan: (form.folder / plan).stat().st_ino for plan in PLANS}
    assert main(["check", str(out)]) == 0
    capsys.readouterr()
    plan = form.folder / "decoder.plan"
    harmed = bytearray(plan.read_bytes())
    harmed[len(harmed) // 2] ^= 1
    plan.write_bytes(harmed)
    assert main(["inspect", str(out), "--verify"]) == 1
    assert "decoder.plan" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("decoder", "tower", "name", "recipe"),
    [
        ("llama", "siglip", "rtx3050", "q4"),
        ("mistral", "clip", "rtx3080", "q4"),
        ("phi", "siglip", "rtx3050", "q8"),
        ("llama", "clip", "rtx3080", "fp16"),
    ],
)
def test_every_family_s_checkpoint_goes_all_the_way_to_plans(
    decoder: DecoderKind, tower: TowerKind, name: str, recipe: str, tmp_path: Path, capsys: Capture
) -> None:
    write_checkpoint(tmp_path / "checkpoint", "hf", decoder, tower)
    out = tmp_path / "bundle"
    assert main(["build", str(tmp_path / "checkpoint"), "--target", name, "--recipe", recipe, "--out", str(out)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "TensorRT's engines are built, for every GeForce RTX" in said
    assert "They can't be checked here. On the device, run: edgekit check" in said
    assert main(["report", "engines", str(out), "--json"]) == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert {f"{part}.plan" for part in run["plans"]} == {*PLANS}
    assert (run["recipe"], run["target"], run["device"]) == (recipe, name, "any GPU of compute capability 8.6")
    assert (run["check"], run["doubts"]) == (None, [])


@pytest.mark.parametrize("tiny", [False, True], ids=["embedded", "checkpoint"])
def test_a_jetson_s_bundle_leaves_its_plans_to_the_device(tiny: bool, tmp_path: Path, capsys: Capture) -> None:
    """Though there is a TensorRT here that builds for cards."""
    source = [str(write_checkpoint(tmp_path / "checkpoint", "hf", "phi", "siglip").path)] if tiny else []
    out = tmp_path / "bundle"
    assert main(["build", *source, "--target", "orin", "--recipe", "q4", "--out", str(out)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Still to do: TensorRT's engines are built on the device" in said
    assert f"edgekit compile {out}" in said
    assert not (out / ENGINES).exists()
    assert main(["inspect", str(out), "--verify"]) == 0
    assert main(["check", str(out)]) == 0
    capsys.readouterr()
    assert main(["compile", str(out)]) == 1
    assert "builds its engines itself" in " ".join(capsys.readouterr().err.split())
    assert not (out / ENGINES).exists()
