"""What can go wrong at the terminal: one clear error with its hint, the right exit code, nothing half-made."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file

from edgekit.cli.main import main
from tests.checkpoints import write_checkpoint
from tests.dicoms import deep, encode


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    write_checkpoint(folder / "checkpoint", "hf", shards=2)
    Image.radial_gradient("L").resize((40, 30)).save(folder / "picture.png")
    assert main(["build", str(folder / "checkpoint"), "--target", "cpu", "--out", str(folder / "bundle")]) == 0
    return folder


@pytest.fixture
def checkpoint(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good / "checkpoint", tmp_path / "checkpoint"))


@pytest.fixture
def bundle(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good / "bundle", tmp_path / "bundle"))


def complaint(capsys: pytest.CaptureFixture[str], code: int, *arguments: str | Path) -> str:
    """Run a command that must fail with ``code``; its message and hint, which must be two lines and no traceback."""
    capsys.readouterr()
    assert main([*map(str, arguments)]) == code
    printed = capsys.readouterr()
    said = printed.err[printed.err.index("Error: ") :]
    assert "Traceback" not in printed.err
    assert "internal error" not in printed.err
    assert len(said.strip().splitlines()) >= 2, f"no hint: {said}"
    return said


def edit_json(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    value = json.loads(file.read_text())
    change(value)
    file.write_text(json.dumps(value))


def shard(folder: Path, number: int = 1) -> Path:
    return folder / f"model-{number:05d}-of-00002.safetensors"


def cut(folder: Path) -> None:
    data = shard(folder).read_bytes()
    shard(folder).write_bytes(data[: len(data) // 2])


def lie(folder: Path) -> None:
    data = shard(folder).read_bytes()
    shard(folder).write_bytes(struct.pack("<Q", 2**40) + data[8:])


def reshape(folder: Path) -> None:
    tensors = load_file(shard(folder))
    name = next(n for n, t in tensors.items() if t.ndim == 2 and "proj" in n)
    save_file({**tensors, name: np.ascontiguousarray(tensors[name][:-1])}, shard(folder))


def poison(folder: Path) -> None:
    tensors = load_file(shard(folder))
    name = next(n for n, t in tensors.items() if t.ndim == 2 and "mlp" in n and "language" in n)
    tensors[name][3, 5] = np.nan
    save_file(tensors, shard(folder))


def pickle_only(folder: Path) -> None:
    for file in [*folder.glob("*.safetensors"), folder / "model.safetensors.index.json"]:
        file.unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x02")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        pytest.param(cut, "model-00001-of-00002.safetensors", id="truncated shard"),
        pytest.param(lie, "model-00001-of-00002.safetensors", id="lying header"),
        pytest.param(lambda f: shard(f, 2).unlink(), "model-00002-of-00002.safetensors", id="missing shard"),
        pytest.param(reshape, "[", id="wrong shape"),
        pytest.param(poison, "row 3 holds nan", id="NaN"),
        pytest.param(
            lambda f: edit_json(f / "config.json", lambda c: c.update(model_type="gpt7")), "gpt7", id="unknown family"
        ),
        pytest.param(pickle_only, "pytorch_model.bin", id="pickles only"),
        pytest.param(lambda f: (f / "tokenizer.json").unlink(), "tokenizer", id="no tokenizer"),
        pytest.param(lambda f: (f / "config.json").write_text("{"), "config.json", id="broken config"),
        pytest.param(shutil.rmtree, "checkpoint", id="no checkpoint at all"),
    ],
)
def test_a_bad_checkpoint(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], harm: Callable[[Path], None], said: str
) -> None:
    harm(checkpoint)
    out = tmp_path / "out" / "bundle"
    assert said in complaint(capsys, 1, "build", checkpoint, "--target", "cpu", "--out", out)
    assert not out.exists()
    assert not out.parent.exists() or not os.listdir(out.parent)


def test_a_flipped_bit_is_found_when_asked_for(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = bundle / "graphs" / "decoder.onnx.data"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert "decoder.onnx.data" in complaint(capsys, 1, "inspect", bundle, "--verify")


def test_a_cut_bundle_does_not_start(bundle: Path, good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = bundle / "graphs" / "vision.onnx"
    file.write_bytes(file.read_bytes()[:-1])
    assert "vision.onnx" in complaint(capsys, 1, "ask", bundle, "Why?", "--image", good / "picture.png")


def test_a_text_called_png(good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "scan.png").write_text("not a picture")
    assert "scan.png" in complaint(capsys, 1, "ask", good / "bundle", "Why?", "--image", tmp_path / "scan.png")
    assert "nowhere.png" in complaint(capsys, 1, "ask", good / "bundle", "Why?", "--image", tmp_path / "nowhere.png")


def test_what_was_left_out_of_a_picture_is_said(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "wide.dcm"
    path.write_bytes(encode(deep(RescaleSlope=None, RescaleIntercept=None, PixelAspectRatio=["1", "2"])))
    notes = [
        "wide.dcm: The rescale is left out: Rescale Slope is empty.",
        "wide.dcm: Its pixels are 0.5 times as high as wide: stretched to 8x2.",
    ]
    question = ["ask", str(good / "bundle"), "Why?", "--image", str(path), "--max-tokens", "1"]
    capsys.readouterr()
    assert main([*question, "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["notes"] == notes
    assert printed.err.splitlines()[:2] == notes
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"/image {path}\nWhy?\n"))
    assert main(["ask", str(good / "bundle"), "--chat", "--max-tokens", "1"]) == 0
    assert capsys.readouterr().err.splitlines()[:2] == notes


def test_a_question_longer_than_the_context(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = complaint(capsys, 1, "ask", good / "bundle", "why " * 4000)
    assert "context" in said


def test_a_question_that_is_no_text(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "UTF-8" in complaint(capsys, 1, "ask", good / "bundle", "x\udcff")


def test_a_bundle_makes_way_for_its_like_only(bundle: Path, good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments: list[str | Path] = ["build", good / "checkpoint", "--target", "cpu", "--out", bundle]
    assert "another recipe: q4, not q8" in complaint(capsys, 1, *arguments, "--recipe", "q8")
    assert main([*map(str, arguments), "--recipe", "q4"]) == 0


def test_a_conversation_goes_on_after_what_went_wrong(
    good: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ["/image", "/image nowhere.png", f"/image {good / 'picture.png'}", "why?", "why " * 4000, "", "/new", "so?"]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(lines)))
    assert main(["ask", str(good / "bundle"), "--chat", "--max-tokens", "3"]) == 0
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) >= 2
    assert [line for line in printed.err.splitlines() if line.startswith("Error")] != []
    assert "picture.png stands before" in printed.err
    assert "A new conversation." in printed.err
    assert "Cut off after 3 tokens" in printed.err


def test_a_checkpoint_is_no_bundle_and_an_unknown_name_has_neighbours(
    good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "edgekit build" in complaint(capsys, 1, "ask", good / "checkpoint", "Why?")
    assert "orin" in complaint(capsys, 1, "build", good / "checkpoint", "--target", "orion")
    assert "q4" in complaint(capsys, 1, "build", good / "checkpoint", "--target", "cpu", "--recipe", "q44")


def test_too_big_for_the_target_is_refused_unless_forced(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = tmp_path / "small.toml"
    text = (Path(__file__).parents[2] / "targets" / "cpu.toml").read_text()
    small.write_text(text.replace('"0 B"', '"2 MiB"').replace('"1 GiB"', '"1 MiB"'))
    arguments: list[str | Path] = ["build", good / "checkpoint", "--target", small, "--out", tmp_path / "bundle"]
    assert "too much" in complaint(capsys, 3, *arguments)
    assert not (tmp_path / "bundle").exists()
    assert main([*map(str, arguments), "--force"]) == 0
    assert json.loads((tmp_path / "bundle" / "manifest.json").read_text())["forced"]


def test_a_full_disk_leaves_nothing(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, offset: int, length: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    out = tmp_path / "out" / "bundle"
    said = complaint(capsys, 1, "build", good / "checkpoint", "--target", "cpu", "--out", out)
    assert "No space" in said
    assert not os.listdir(out.parent)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (signal.SIGINT, "Interrupted."),
        (signal.SIGTERM, "Ended by SIGTERM."),
        (signal.SIGHUP, "Ended by SIGHUP."),
    ],
)
def test_a_signal_in_the_middle_leaves_nothing(good: Path, tmp_path: Path, number: signal.Signals, said: str) -> None:
    """A build that is stopped while it writes: one line, exit 128 + number, no folder and no part of one."""
    program = (
        "import sys, time, edgekit.checkpoint.tensor_file as tensor_file\n"
        "from edgekit.cli.main import main\n"
        "write = tensor_file.write_regions\n"
        "def slow(*a, **k):\n"
        "    print('writing', flush=True); time.sleep(30)\n"
        "tensor_file.write_regions = slow\n"
        "import edgekit.export.write as module; module.write_regions = slow\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    out = tmp_path / "out" / "bundle"
    command = [sys.executable, "-c", program, "build", str(good / "checkpoint"), "--target", "cpu", "--out", str(out)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "writing\n"
    time.sleep(0.1)
    child.send_signal(number)
    _, errors = child.communicate(timeout=20)
    assert child.returncode == 128 + number
    assert errors.strip().splitlines()[-1] == said
    assert "Traceback" not in errors
    assert not os.listdir(out.parent)
