"""The whole demo on the embedded model, as a newcomer runs it: its files, its figures against second opinions."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import pytest
from PIL import Image

from edgekit.bundle import open_bundle, verify
from edgekit.cli.main import main
from edgekit.demo import SEED
from edgekit.demo.samples import asked
from edgekit.phantom import draw, scene
from edgekit.phantom.embedded import embedded
from edgekit.units import MIB
from tests.terminal import at_terminal

ROOT = Path(__file__).parents[2]


def newcomer(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    """EdgeKit in an environment without a home."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/nonexistent", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "edgekit", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=cwd, env=environment, stdout=pipe, stderr=pipe, stdin=pipe, text=True)


def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("a folder with spaces")


@pytest.fixture(scope="module")
def found(place: Path) -> Any:
    """What the demo's JSON says."""
    with newcomer("demo", "--json", cwd=place) as process:
        out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    return json.loads(out)


def test_a_bundle_and_a_picture_are_all_that_is_left(found: Any, place: Path) -> None:
    folder = place / "build" / "out" / "demo"
    assert {path.name for path in folder.iterdir()} == {"q4", "phantom.png"}
    assert [path.name for path in place.iterdir()] == ["build"]
    assert (found["build"]["bundle"], found["ask"]["image"]) == ("build/out/demo/q4", "build/out/demo/phantom.png")
    bundle = open_bundle(folder / "q4")
    verify(bundle)
    assert found["build"]["bytes"] == sum((folder / "q4" / name).stat().st_size for name in bundle.manifest.files)
    with Image.open(folder / "phantom.png") as image:
        assert np.array_equal(np.asarray(image), np.asarray(draw(scene(SEED))))


def test_weights_take_on_disk_what_the_plan_says(found: Any, place: Path) -> None:
    """Files are a little larger: tensors begin at multiples of 64 and 4096 bytes, and headers have names."""
    graphs = place / "build" / "out" / "demo" / "q4"
    parts = found["plan"]["weights"]["q4"]
    for name, planned in (
        ("graphs/vision.onnx.data", parts["vision"]),
        ("graphs/projector.onnx.data", parts["projector"]),
        ("graphs/decoder.onnx.data", parts["decoder"] + parts["lm_head"]),
        ("embedding.safetensors", parts["embedding"]),
    ):
        assert planned <= (graphs / name).stat().st_size < 1.1 * planned + 8192
    assert sum(found["plan"]["weights"]["fp16"].values()) == 2 * found["plan"]["parameters"]


def test_questions_of_every_form_were_asked(found: Any) -> None:
    assert {form: share["total"] for form, share in found["check"]["forms"].items()} == {
        "closed": 30,
        "open": 20,
        "description": 10,
    }
    assert sum(share["right"] for share in found["check"]["forms"].values()) >= 48
    assert [row["expected"] for row in found["ask"]["answers"]] == [
        "yes",
        "on the left",
        "There is an enlarged heart and a pleural effusion on the left.",
    ]


def test_measured_memory_grows_by_the_model_and_is_no_builder_s(found: Any) -> None:
    before, loaded, peak = (found["profile"][name] for name in ("before", "loaded", "peak"))
    arena = 2 * 1024 * 4 * 2 * 2 * 32 * 4  # slots, context, layers, keys and values, heads, head_dim, fp32
    assert arena * 0.9 < loaded["own_bytes"] - before["own_bytes"] < arena + 12 * MIB
    assert found["build"]["compiled"]
    assert loaded["mapped_bytes"] - before["mapped_bytes"] > 2 * MIB
    assert loaded["own_bytes"] <= peak["own_bytes"] < 150 * MIB
    assert 0 < found["profile"]["load_s"] < 30
    assert 0 < found["profile"]["first_token_ms"] < 30_000
    assert found["profile"]["tokens_per_s"] > 1


def test_a_second_run_and_another_recipe_find_their_place(
    found: Any, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    before = open_bundle(Path(found["build"]["bundle"])).digest
    for name in ("q4", "q8"):
        assert main(["demo", "--recipe", name, "--out", "build/out/demo"]) == 0
        assert f"edgekit ask build/out/demo/{name} --chat" in capsys.readouterr().out
    assert open_bundle(Path(found["build"]["bundle"])).digest == before


def test_what_the_demo_says_to_do_next_can_be_done(found: Any, place: Path) -> None:
    bundle, image = found["build"]["bundle"], found["ask"]["image"]
    with newcomer("ask", bundle, found["ask"]["answers"][2]["question"], "--image", image, cwd=place) as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert out.strip() == found["ask"]["answers"][2]["answer"].strip()


def test_an_interrupted_demo_leaves_nothing_half_made(tmp_path: Path) -> None:
    with newcomer("demo", cwd=tmp_path) as process:
        folder = tmp_path / "build" / "out" / "demo"
        end = time.monotonic() + 120
        while not (folder.is_dir() and any(path.suffix == ".part" for path in folder.iterdir())):
            assert time.monotonic() < end
            assert process.poll() is None, "it ended before it began to build"
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (130, "Interrupted.\n")
    assert list(folder.iterdir()) == []
    assert out.endswith("\n")


@pytest.fixture
def desktop(tmp_path: Path) -> dict[str, str]:
    """The variables of a desktop whose browser writes down what it is to open, in ``opened``."""
    program = tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" > "{tmp_path}/opened"\n')
    program.chmod(0o755)
    return {"DISPLAY": ":0", "BROWSER": str(program)}


def test_at_a_terminal_it_ends_with_its_page_and_phantoms_to_try(desktop: dict[str, str], tmp_path: Path) -> None:
    place = tmp_path / "here"
    place.mkdir()
    with at_terminal("demo", cwd=place, variables=desktop) as terminal:
        url = terminal.wait_for(r"Serve +(http://127\.0\.0\.1:\d+/)")
        terminal.wait_for(r"Ctrl-C ends it")
        until(lambda: (tmp_path / "opened").exists() and (tmp_path / "opened").read_text() == f"{url}\n")
        with urlopen(url, timeout=30) as page:
            assert page.headers["content-type"].startswith("text/html")
        with urlopen(f"{url}api/samples", timeout=30) as listed:
            samples = json.load(listed)["samples"]
        rights = [phantom.question.answer for phantom in asked()]
        assert [answer_to(url, sample) for sample in samples] == rights
        terminal.type("\x03")
        assert terminal.end() == 0
    assert "The service has ended" in terminal.said
    assert "Traceback" not in terminal.said
    assert {path.name for path in (place / "build/out/demo").iterdir()} <= {"q4", "phantom.png", "service"}
    assert [path.name for path in place.iterdir()] == ["build"]


def answer_to(url: str, sample: dict[str, str]) -> str:
    """The model's answer to a sample's question, asked as any client asks."""
    with urlopen(f"{url}api/samples/{sample['name']}", timeout=30) as picture:
        data = base64.b64encode(picture.read()).decode()
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    content = [{"type": "text", "text": sample["question"]}, image]
    body = json.dumps({"messages": [{"role": "user", "content": content}]}).encode()
    request = Request(f"{url}v1/chat/completions", body, {"content-type": "application/json"})
    with urlopen(request, timeout=60) as answered:
        return str(json.load(answered)["choices"][0]["message"]["content"]).strip()


def test_with_nothing_but_what_edgekit_always_needs_it_says_how_to_get_the_page(tmp_path: Path) -> None:
    missing = ("argon2", "cryptography", "h11", "llguidance", "msgspec", "prometheus_client", "segno", "sqlcipher3")
    lines = [f"sys.modules[{name!r}] = None" for name in (*missing, "starlette", "uvicorn")]
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "sitecustomize.py").write_text("\n".join(["import sys", *lines]))
    variables = {"PYTHONPATH": f"{tmp_path / 'without'}:{ROOT}"}
    with at_terminal("demo", "--out", str(tmp_path / "demo"), cwd=tmp_path, variables=variables) as terminal:
        terminal.wait_for(r"pip install 'edgekit\[serve\]'")
        assert terminal.end() == 0
    assert "Traceback" not in terminal.said


def test_build_without_a_checkpoint_builds_the_embedded_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["build", "--target", "cpu"]) == 0
    bundle = open_bundle(Path("build/out/llava-phantom-cpu-q4"))
    assert bundle.manifest.source == embedded().name
    capsys.readouterr()
    assert main(["build", "nowhere", "--target", "cpu"]) == 1
    assert "nowhere" in capsys.readouterr().err
    assert main(["build"]) == 2
