"""``edgekit build``: what is asked of the pipeline, where the bundle goes, and how each ending is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgekit.cli.main import main
from edgekit.engines.compile import NotCompiled
from edgekit.phantom.embedded import embedded
from edgekit.pipeline import Built, Prepared
from edgekit.recipe import recipe
from edgekit.target import target
from edgekit.units import GIB
from tests.unit.pipeline.case import LACKS, built, bundle, checked, compiled

Capture = pytest.CaptureFixture[str]
CPU = built(Prepared(bundle(target("cpu")), NotCompiled(LACKS, tried=False)))
WRONG = built(Prepared(bundle(target("rtx3050")), compiled(plans=True), checked=checked(0.5)))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the pipeline was asked for; ``result`` is what it gives."""
    calls: dict[str, Any] = {"result": CPU}

    def build(source: Path, chosen: object, by: object, place: Path, **options: Any) -> Built:
        calls.update(source=source, target=chosen, recipe=by, place=place, **options)
        result: Built = calls["result"]
        return result

    monkeypatch.setattr("edgekit.pipeline.build", build)
    return calls


def test_without_a_checkpoint_it_is_the_embedded_model_by_q4(asked: dict[str, Any]) -> None:
    assert main(["build", "--target", "orin"]) == 0
    assert (asked["source"], asked["target"], asked["recipe"]) == (embedded(), target("orin"), recipe("q4"))
    assert asked["place"] == Path("build/out/llava-phantom-orin-q4")
    assert (asked["fit"], asked["force"], asked["requantize"]) == (None, False, False)


def test_every_option_is_the_pipeline_s(asked: dict[str, Any], tmp_path: Path) -> None:
    options = ["--vision", "v", "--calibrate", "d", "--fit", "4 GiB", "--requantize", "--force", "--out", "o"]
    assert main(["build", str(tmp_path), "--target", "cpu", "--recipe", "q8", *options]) == 0
    assert (asked["source"], asked["place"], asked["fit"]) == (tmp_path, Path("o"), 4 * GIB)
    assert (asked["vision"], asked["calibrate"]) == (Path("v"), Path("d"))
    assert asked["requantize"]
    assert asked["force"]


def test_a_place_of_its_own_is_named_after_the_folder_wherever_it_is_called_from(
    asked: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ward7").mkdir()
    monkeypatch.chdir(tmp_path / "ward7")
    assert main(["build", ".", "--target", "cpu"]) == 0
    assert asked["place"] == Path("build/out/ward7-cpu-q4")


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_remarks_are_for_people_and_scripts(flags: list[str], asked: dict[str, Any], capsys: Capture) -> None:
    assert main(["build", "--target", "cpu", *flags]) == 0
    out, err = capsys.readouterr()
    assert err.splitlines()[-3:] == ["not as asked", "Note: a note", "Forced: too large"]
    if flags:
        assert json.loads(out) == json.loads(json.dumps(CPU.document()))
    else:
        assert "Ask it: edgekit ask" in out


def test_plans_that_answer_wrongly_are_told_and_then_refused(asked: dict[str, Any], capsys: Capture) -> None:
    asked["result"] = WRONG
    assert main(["build", "--target", "rtx3050", "--json"]) == 3
    out, err = capsys.readouterr()
    assert json.loads(out)["gpu_check"]["passed"] is False
    assert "Error: The answers fall short" in err
    assert main(["build", "--target", "rtx3050", "--force"]) == 0
    assert "Forced: on the GPU: The answers fall short" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], 2),
        (["--target", "orni"], 1),
        (["--target", "cpu", "--recipe", "q5"], 1),
        (["--target", "cpu", "--fit", "much"], 1),
    ],
)
def test_what_cannot_be_built_is_said_before_any_work(
    arguments: list[str], code: int, asked: dict[str, Any], capsys: Capture
) -> None:
    assert main(["build", *arguments]) == code
    assert "internal error" not in capsys.readouterr().err
    assert asked.keys() == {"result"}
