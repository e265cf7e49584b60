"""`edgekit plan` at the terminal: what it prints in 80 columns, its exit codes, its JSON, and what it refuses."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from edgekit.bundle import Bundle
from edgekit.cli.main import main
from edgekit.config.shipped import shipped
from edgekit.phantom.embedded import embedded
from edgekit.units import GIB
from tests.checkpoints import write_checkpoint, write_tower
from tests.embedded_bundles import EmbeddedBundles
from tests.unit.plan.models import write_sparse
from tests.unit.test_console import Terminal

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgekit.plan.planning.total_memory", lambda: 16 * GIB)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sparse("llava-med-7b", tmp_path_factory.mktemp("llava-med"))


@pytest.fixture(scope="module")
def bundle(embedded_as: EmbeddedBundles) -> Bundle:
    return embedded_as("q8")


def planned(capsys: Capture, *arguments: str | Path, code: int = 0) -> Any:
    capsys.readouterr()
    assert main(["plan", *map(str, arguments), "--json"]) == code
    return json.loads(capsys.readouterr().out)


def complaint(capsys: Capture, code: int, *arguments: str | Path) -> str:
    capsys.readouterr()
    assert main(["plan", *map(str, arguments)]) == code
    err = capsys.readouterr().err
    assert "Traceback" not in err
    assert "internal error" not in err
    return err


def test_without_a_checkpoint_it_is_the_embedded_model_on_this_machine(capsys: Capture) -> None:
    document = planned(capsys)
    assert (document["model"], document["target"], document["recipe"]) == (embedded().name, "cpu", "q4")
    assert document["fits"] is True
    assert document["would_fit"] == []
    assert document["sides"]["memory"]["memory_bytes"] == 16 * GIB
    assert main(["plan"]) == 0
    out = capsys.readouterr().out
    assert "Fits: 14." in out
    assert "of 16.0 GiB" in out


def test_what_does_not_fit_ends_with_3_and_says_what_would(capsys: Capture, large: Path) -> None:
    err = complaint(capsys, 3, large, "--target", "rtx3050", "--recipe", "fp16")
    assert "too much" in err
    assert "--recipe q4" in err
    document = planned(capsys, large, "--target", "rtx3050", "--recipe", "fp16", code=3)
    assert document["fits"] is False
    assert document["sides"]["device"]["free_bytes"] < 0
    for option in document["would_fit"]:
        assert option["free_bytes"] > 0
    last = document["would_fit"][-1]
    sizes = ["--slots", str(last["slots"]), "--context", str(last["context"])]
    again = planned(capsys, large, "--target", "rtx3050", "--recipe", last["recipe"]["name"], *sizes)
    assert again["fits"] is True
    assert again["sides"]["device"]["free_bytes"] == last["free_bytes"]


def test_force_goes_on_loudly(capsys: Capture, large: Path) -> None:
    err = complaint(capsys, 0, large, "--target", "rtx3050", "--recipe", "fp16", "--force")
    assert "Forced: " in err
    assert "too much" in err


def test_slots_and_context_are_the_target_s_unless_given(capsys: Capture, large: Path) -> None:
    document = planned(capsys, large, "--target", "orin")
    assert (document["slots"], document["context"]) == (8, 4096)
    fewer = planned(capsys, large, "--target", "orin", "--slots", "2", "--context", "1024")
    assert (fewer["slots"], fewer["context"]) == (2, 1024)
    assert fewer["components"]["kv_arena"] < document["components"]["kv_arena"] / 12  # what a call makes is the same


def test_a_context_that_the_model_was_not_made_for_is_cut_aloud(capsys: Capture) -> None:
    assert "planned with 1024" in complaint(capsys, 0, "--context", "99999999")
    assert not complaint(capsys, 0, "--context", "512")


def test_a_broken_budget_is_a_warning(capsys: Capture, large: Path, tmp_path: Path) -> None:
    tight = tmp_path / "tight.toml"
    tight.write_text(
        shipped("targets")["rtx3050"].read_text().replace("5168882184 B", "1 GiB").replace("20 GiB", "1 GiB")
    )
    err = complaint(capsys, 0, large, "--target", tight)
    assert "Over budget: " in err
    assert "static budget of 1.00 GiB" in err
    assert "disk budget of 1.00 GiB" in err
    assert "Over budget" not in complaint(capsys, 0, large, "--target", "rtx3050")


def test_every_recipe_on_every_target(capsys: Capture, large: Path) -> None:
    document = planned(capsys, large, "--all")
    assert document["best"]["rtx3050"] == "q4"
    assert document["plans"]["rtx3050"]["q4"]["fits"] is True
    missing = document["plans"]["rtx3050"]["fp16"]["sides"]["device"]["free_bytes"]
    assert missing < 0
    assert main(["plan", str(large), "--all"]) == 0
    out = capsys.readouterr().out
    row = next(line for line in out.splitlines() if line.startswith("rtx3050"))
    assert "2 × 2048" in row
    assert f"−{-missing / GIB:.2f} GiB" in row
    assert row.split()[-1] == "q4"


def test_a_bundle_is_planned_as_it_was_built(capsys: Capture, bundle: Bundle) -> None:
    document = planned(capsys, bundle.path)
    assert (document["recipe"], document["target"], document["context"]) == ("q8", "cpu", bundle.manifest.context)
    assert document["disk"]["bundle_bytes"] == bundle.bytes
    assert planned(capsys, embedded(), "--recipe", "q8")["components"] == document["components"]
    assert planned(capsys, bundle.path, "--slots", "8")["slots"] == 8
    assert "bundle" in complaint(capsys, 2, bundle.path, "--recipe", "q4")
    assert "bundle" in complaint(capsys, 2, bundle.path, "--context", "512")
    assert "bundle" in complaint(capsys, 2, bundle.path, "--all")
    assert "was built for cpu" in complaint(capsys, 1, bundle.path, "--target", "orin")


def test_packed_weights_stay_as_they_are(capsys: Capture, tmp_path: Path) -> None:
    assert main(["quantize", str(embedded()), "--recipe", "q8", "--out", str(tmp_path / "q8")]) == 0
    document = planned(capsys, tmp_path / "q8", "--recipe", "q8")
    assert document["components"] == planned(capsys, "--recipe", "q8")["components"]
    assert "quantized already" in complaint(capsys, 1, tmp_path / "q8", "--recipe", "q4")
    small = tmp_path / "small.toml"
    small.write_text(shipped("targets")["cpu"].read_text().replace('"0 B"', '"1.3 GiB"') + "\n")
    document = planned(capsys, tmp_path / "q8", "--recipe", "q8", "--target", small, "--slots", "32", code=3)
    assert document["would_fit"]
    assert {option["recipe"]["name"] for option in document["would_fit"]} == {"q8", "q8-kv8"}  # and another cache


def test_a_bundle_that_does_not_fit_hears_of_slots_only(capsys: Capture, bundle: Bundle, tmp_path: Path) -> None:
    small = tmp_path / "small.toml"
    text = shipped("targets")["cpu"].read_text()
    small.write_text(text.replace('"0 B"', '"1.3 GiB"'))
    err = complaint(capsys, 3, bundle.path, "--target", small, "--slots", "32")
    option = planned(capsys, bundle.path, "--target", small, "--slots", "32", code=3)["would_fit"][0]
    assert f"  {option['slots']} slots: " in err
    assert "TOML" not in err
    assert planned(capsys, bundle.path, "--target", small, "--slots", str(option["slots"]))["fits"]
    assert not planned(capsys, bundle.path, "--target", small, "--slots", str(option["slots"] + 2), code=3)["fits"]
    small.write_text(text.replace('"0 B"', '"1.01 GiB"'))
    assert "plan the checkpoint" in complaint(capsys, 3, bundle.path, "--target", small)


def test_bad_input_is_one_error(capsys: Capture, large: Path, tmp_path: Path) -> None:
    assert "Did you mean 'orin'?" in complaint(capsys, 1, "--target", "orni")
    assert "no recipe called 'q5'" in complaint(capsys, 1, "--recipe", "q5")
    assert str(tmp_path) in complaint(capsys, 1, tmp_path)
    assert "nowhere" in complaint(capsys, 1, tmp_path / "nowhere")
    assert "too short" in complaint(capsys, 1, large, "--context", "500")
    assert "Usage" in complaint(capsys, 2, "--slots", "0")
    assert "--target" in complaint(capsys, 2, "--all", "--target", "cpu")
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes((large / name).read_bytes())
    with (large / "model.safetensors").open("rb") as whole:
        (tmp_path / "model.safetensors").write_bytes(whole.read(5000))
    assert str(tmp_path) in complaint(capsys, 1, tmp_path)


@pytest.mark.parametrize("arguments", [["--target", "rtx3050"], ["--target", "orin", "--recipe", "fp16"], ["--all"]])
def test_a_terminal_of_80_columns_is_wide_enough(
    large: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    assert main(["plan", str(large), *arguments]) == 0
    lines = screen.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert any("█" in line for line in lines) == ("--all" not in arguments)
    decoder = next((line for line in lines if line.startswith("decoder ")), "")
    assert ("GiB" in decoder) == ("--all" not in arguments), "a row was folded"


def test_a_tower_may_come_from_another_folder(capsys: Capture, tmp_path: Path) -> None:
    tiny = write_checkpoint(tmp_path / "model", "llava", with_vision=False, config={"mm_vision_tower": "laion/some"})
    asked = complaint(capsys, 1, tiny.path)
    assert "does not contain its vision tower (laion/some)" in asked
    assert "--vision DIR" in asked
    tower = write_tower(tmp_path / "tower", tiny)
    for arguments in ([], ["--all"]):
        assert planned(capsys, tiny.path, "--vision", tower, *arguments)["fits"]


def test_a_bundle_has_its_tower(capsys: Capture, bundle: Bundle, tmp_path: Path) -> None:
    assert "--vision is for checkpoints" in complaint(capsys, 2, bundle.path, "--vision", tmp_path)
