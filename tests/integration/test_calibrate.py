"""`--calibrate DATA` as a user gives it: what is wrong with the data is said, what stops half-way goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgekit.bundle import open_bundle
from edgekit.cli.main import main
from edgekit.phantom.embedded import embedded

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("examples") / "phantoms"
    assert main(["phantoms", str(folder), "--count", "8", "--split", "train"]) == 0
    return folder


@pytest.fixture(scope="module")
def few(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """So few examples that fitting takes no time, where it is not about how well."""
    return changed(data, tmp_path_factory.mktemp("few") / "phantoms", lambda found: found[:6])


def built(out: Path, data: Path, *more: str) -> list[str]:
    return ["build", "--target", "cpu", "--out", str(out), "--calibrate", str(data), *more]


def rows(data: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((data / "conversations.json").read_text())
    return found


def changed(data: Path, folder: Path, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Path:
    folder.mkdir()
    (folder / "images").symlink_to(data / "images")
    (folder / "some.json").write_text(json.dumps(change(rows(data))))
    return folder


def test_a_bundle_is_fitted_to_examples_and_says_by_which_method(data: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "bundle"
    assert main(built(out, data)) == 0
    assert open_bundle(out).manifest.recipe.method == "awq+gptq"
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]  # nothing is left of the work
    assert (
        main(["ask", str(out), "Is there a pleural effusion?", "--image", str(next((data / "images").iterdir()))]) == 0
    )
    assert "examples" not in capsys.readouterr().err


def test_a_checkpoint_is_fitted_and_can_be_built_from(few: Path, tmp_path: Path) -> None:
    out = tmp_path / "q4"
    assert main(["quantize", str(embedded()), "--out", str(out), "--calibrate", str(few)]) == 0
    assert main(["build", str(out), "--target", "cpu", "--recipe", "q4", "--out", str(tmp_path / "bundle")]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "q4"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda found: [], "holds no examples"),
        (lambda found: [{**found[0], "image": "../outside.png"}], "outside"),
        (lambda found: [{**found[0], "image": "none.png"}], "none.png"),
        (lambda found: [{"image": found[0]["image"], "conversations": []}], "question"),
    ],
    ids=["empty", "outside", "missing", "no question"],
)
def test_examples_that_can_not_be_used_are_one_clear_error(
    change: Any, said: str, data: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert main(built(tmp_path / "bundle", changed(data, tmp_path / "bad", change))) == 1
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err
    assert not (tmp_path / "bundle").exists()


def test_a_picture_that_is_none_is_named(data: Path, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing more")
    (tmp_path / "bad" / "some.json").write_text(json.dumps([{"image_name": "x.png", "question": "What is it?"}]))
    assert main(built(tmp_path / "bundle", tmp_path / "bad")) == 1
    assert "x.png" in capsys.readouterr().err
    assert main(built(tmp_path / "bundle", tmp_path / "nowhere")) == 1
    assert "nowhere" in capsys.readouterr().err


def test_few_examples_and_such_without_pictures_are_noted(data: Path, tmp_path: Path, capsys: Capture) -> None:
    few = changed(data, tmp_path / "few", lambda found: [*found[:1], {"question": "What is a lung?", "answer": "x"}])
    assert main(built(tmp_path / "bundle", few)) == 0
    err = capsys.readouterr().err
    assert "examples; 32 are better" in err
    assert "1 of the" in err
    assert "no picture" in err


def test_what_samples_can_not_help_is_refused(data: Path, tmp_path: Path, capsys: Capture) -> None:
    assert main(built(tmp_path / "bundle", data, "--recipe", "fp16")) == 1
    assert "rounds nothing" in capsys.readouterr().err
    assert main(["quantize", str(embedded()), "--recipe", "q4", "--out", str(tmp_path / "q4")]) == 0
    assert main(["build", str(tmp_path / "q4"), *built(tmp_path / "bundle", data)[1:]]) == 1
    assert "quantized already" in capsys.readouterr().err
    awq = tmp_path / "awq.toml"
    text = Path("build/recipes/q4.toml").read_text() if Path("build/recipes/q4.toml").exists() else ""
    awq.write_text(text.replace('method = "rtn"', 'method = "awq"').replace('name = "q4"', 'name = "awq"'))
    assert main(["build", "--target", "cpu", "--recipe", str(awq), "--out", str(tmp_path / "bundle")]) == 1
    assert "--calibrate" in capsys.readouterr().err


def test_a_build_that_was_ended_goes_on_where_it_stopped(few: Path, tmp_path: Path) -> None:
    """By Ctrl-C, and killed after that: only the layer that it was ended in is done again."""
    command = [sys.executable, "-m", "edgekit", *built(tmp_path / "bundle", few)]
    work = tmp_path / ".bundle.calibration"
    kept: dict[str, int] = {}
    for end, block in ((signal.SIGINT, "block-001"), (signal.SIGKILL, "block-002")):
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
            while not (work / f"{block}.safetensors").exists() and process.poll() is None:
                time.sleep(0.01)
            process.send_signal(end)
            _, err = process.communicate(timeout=60)
        assert process.returncode == (130 if end == signal.SIGINT else -end)
        assert "Traceback" not in err
        assert not (tmp_path / "bundle").exists()
        now = {path.name: path.stat().st_mtime_ns for path in work.glob("block-*.safetensors")}
        assert f"{block}.safetensors" in now
        assert all(now[name] == kept[name] for name in sorted(kept)[:-1])
        kept = now
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert open_bundle(tmp_path / "bundle").manifest.recipe.method == "awq+gptq"
    assert not work.exists()


def test_within_so_many_bytes_what_loses_most_is_widened(few: Path, tmp_path: Path, capsys: Capture) -> None:
    assert main(built(tmp_path / "bundle", few, "--fit", "4.5 MiB", "--json")) == 0
    found = json.loads(capsys.readouterr().out)
    losses = found["sensitivity"]["losses"]
    assert max(losses, key=losses.get) in found["wider"]
    weights = ("vision", "projector", "embedding", "decoder", "lm_head")
    assert sum(found["components"][part] for part in weights) <= 4.5 * 2**20
    assert open_bundle(tmp_path / "bundle").manifest.recipe.int8_layers
    assert main(["ask", str(tmp_path / "bundle"), "Is there a pleural effusion?"]) == 0
    assert main(built(tmp_path / "other", few, "--fit", "1 MiB")) == 1
    assert "1.00 MiB are allowed" in capsys.readouterr().err
