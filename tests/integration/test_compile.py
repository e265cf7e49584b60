"""Compiling real bundles: the same answers from mapped weights, and from the bundle's own wherever they don't fit."""

from __future__ import annotations

import json
import logging
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from edgekit.bundle import Bundle, open_bundle, verify
from edgekit.checkpoint.packed import Array
from edgekit.cli.main import main
from edgekit.engines.compile import NotCompiled, compile_bundle, compile_here
from edgekit.engines.lock import LOCK, compiled_form, folder_of
from edgekit.engines.onnxruntime.backend import here
from edgekit.engines.onnxruntime.engine import OnnxRuntimeEngine
from edgekit.engines.onnxruntime.probe import PROBE
from edgekit.engines.open import open_engine
from edgekit.errors import EngineError
from edgekit.onnx_session import runtime_version
from edgekit.pipeline import build
from edgekit.recipe import Recipe, recipe
from edgekit.target import target
from tests.checkpoints import write_checkpoint
from tests.edited import unsealed
from tests.flipped import flip

VERSION = runtime_version()
CAN = VERSION >= (1, 28)  # older ones save no packed MatMulNBits
can = pytest.mark.skipif(not CAN, reason="this ONNX Runtime can't save packed weights")
TARGET = replace(target("cpu"), context=200, slots=2)
FP32 = replace(recipe("fp16"), vision="fp32", projector="fp32", embedding="fp32", decoder="fp32", lm_head="fp32")
Capture = pytest.CaptureFixture[str]


def built(folder: Path, how: Recipe, decoder: Any = "llama", tower: Any = "clip") -> Bundle:
    write_checkpoint(folder / "checkpoint", "hf", decoder, tower)
    made = build(folder / "checkpoint", TARGET, how, folder / "bundle")
    assert made.compiled
    return made.bundle


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    if not CAN:
        pytest.skip("this ONNX Runtime can't save packed weights")
    return built(tmp_path_factory.mktemp("compile"), recipe("q4"))


@pytest.fixture
def bundle(sealed: Bundle, tmp_path: Path) -> Bundle:
    """A copy with its compiled form, to be harmed."""
    shutil.copytree(sealed.path, tmp_path / "bundle")
    return open_bundle(tmp_path / "bundle")


def outputs(engine: OnnxRuntimeEngine) -> list[Array]:
    """An image, a prompt and a few steps of two slots."""
    pixels = np.random.default_rng(3).normal(size=(2, 3, 28, 28)).astype(np.float32)
    embeds = engine.encode(pixels)
    found: list[Array] = [embeds]
    for slot in range(2):
        prompt = np.concatenate([engine.embed([1, 7, 9 + slot]), embeds[slot]])
        found.append(engine.prefill(slot, prompt, 0))
    found += [engine.decode([token, token + 1], [0, 1]) for token in (5, 6, 7)]
    engine.close()
    return found


def portable(bundle: Bundle) -> list[Array]:
    return outputs(OnnxRuntimeEngine(bundle, bundle.path / "graphs", slots=2))


def as_opened(bundle: Bundle) -> list[Array]:
    engine = open_engine(bundle, slots=2)
    assert isinstance(engine, OnnxRuntimeEngine)
    return outputs(engine)


def assert_same(found: list[Array], expected: list[Array]) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@can
@pytest.mark.parametrize(
    ("how", "decoder", "tower"),
    [
        (recipe("q4"), "llama", "clip"),
        (recipe("q8"), "phi", "siglip"),
        (recipe("fp16"), "mistral", "clip"),
        (FP32, "llama", "siglip"),
    ],
    ids=["q4", "q8", "fp16", "fp32"],
)
def test_a_compiled_bundle_answers_as_the_portable_one(tmp_path: Path, how: Recipe, decoder: str, tower: str) -> None:
    bundle = built(tmp_path, how, decoder, tower)
    form = compiled_form(bundle)
    assert form == folder_of(bundle, here())
    for name in ("decoder", "projector", "vision"):
        tensors = onnx.load(str(form / f"{name}.onnx"), load_external_data=False).graph.initializer
        assert any(entry.key == "prepacked_0" for tensor in tensors for entry in tensor.external_data)
    mapped = OnnxRuntimeEngine(bundle, form, slots=2, final=True)
    level = mapped._decoder.get_session_options().graph_optimization_level
    assert level == onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    assert_same(outputs(mapped), portable(bundle))
    assert {file.name for file in form.iterdir()} == {
        *(f"{name}.onnx{end}" for name in ("decoder", "projector", "probe", "vision") for end in ("", ".data")),
        LOCK,
    }
    verify(bundle)


@pytest.mark.skipif(CAN, reason="this ONNX Runtime can save packed weights")
def test_an_older_runtime_runs_without(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_checkpoint(tmp_path / "checkpoint", "hf", "llama", "clip")
    made = build(tmp_path / "checkpoint", TARGET, recipe("q4"), tmp_path / "bundle")
    assert not made.compiled
    assert "can't save packed weights" in caplog.text
    assert not (made.bundle.path / "engines").exists()
    assert_same(as_opened(made.bundle), portable(made.bundle))


def change(key: str, value: object) -> Callable[[Path], None]:
    def harm(form: Path) -> None:
        lock = unsealed(form / LOCK)
        at = lock
        *path, last = key.split("/")
        for word in path:
            at = at[word]
        assert at[last] != value
        at[last] = value
        (form / LOCK).write_text(json.dumps(lock))

    return harm


def invert(form: Path) -> None:
    """Other bytes everywhere, as if they were packed for another processor."""
    for file in form.glob("*.data"):
        values = np.fromfile(file, np.uint8)
        (~values).tofile(file)


HARMS: list[tuple[Callable[[Path], object], str]] = [
    (change("place/version", "1.2.3"), "onnxruntime 1.2.3, here"),
    (change("place/arch", "vax"), "an vax processor"),
    (change("place/features", ["mmx"]), "differs in"),
    (change("graphs", {"graphs/decoder.onnx": "00"}), "of other graphs"),
    (change("format", 99), "format 99"),
    (change("probe", "00"), "computes something else"),
    (change("files/decoder.onnx.data/bytes", 12), "another size"),
    (change("files", {"../../manifest.json": {"bytes": 1, "sha256": "00"}}), "another size"),
    (invert, "computes something else"),
    (lambda form: (form / LOCK).write_text("{"), "lock.json"),
    (lambda form: (form / LOCK).unlink(), "lock.json"),
    (lambda form: (form / PROBE).unlink(), "missing"),
    (lambda form: (form / "vision.onnx.data").write_bytes(b""), "another size"),
    (lambda form: form.rename(form.with_name("elsewhere")), "another machine"),
]


@pytest.mark.parametrize(("harm", "said"), HARMS)
def test_a_form_that_does_not_fit_is_passed_over(
    bundle: Bundle, caplog: pytest.LogCaptureFixture, harm: Callable[[Path], object], said: str
) -> None:
    expected = portable(bundle)
    harm(folder_of(bundle, here()))
    with caplog.at_level(logging.WARNING, "edgekit"):
        assert_same(as_opened(bundle), expected)
    (record,) = caplog.records
    assert said in record.getMessage()
    assert f"edgekit compile {bundle.path}" in record.getMessage()
    assert Path(record.getMessage().partition(": ")[0]).is_dir()
    compile_bundle(bundle)
    caplog.clear()
    assert compiled_form(bundle)
    assert not caplog.records


def test_a_form_whose_graph_does_not_load_is_passed_over(bundle: Bundle, caplog: pytest.LogCaptureFixture) -> None:
    file = folder_of(bundle, here()) / "decoder.onnx"
    file.write_bytes(bytes(file.stat().st_size))
    with caplog.at_level(logging.WARNING, "edgekit"):
        assert_same(as_opened(bundle), portable(bundle))
    assert "decoder.onnx" in caplog.text


def test_a_folder_that_may_not_be_read_is_passed_over(
    bundle: Bundle, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    assert compiled_form(bundle) is None
    assert "can't be read: Permission denied" in caplog.text


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_damaged_form_is_found_when_asked_for(bundle: Bundle, capsys: Capture, elsewhere: bool) -> None:
    form = folder_of(bundle, here())
    if elsewhere:
        change("place/version", "1.2.3")(form)
        form = form.rename(form.with_name("elsewhere"))
    assert main(["inspect", str(bundle.path), "--verify"]) == 0
    assert "as sealed" in capsys.readouterr().out
    data = form / "vision.onnx.data"
    flip(data, data.stat().st_size // 2, 0)
    assert main(["inspect", str(bundle.path)]) == 0
    capsys.readouterr()
    assert main(["inspect", str(bundle.path), "--verify"]) == 1
    said = capsys.readouterr().err
    assert f"{data}: the contents differ" in said
    assert "edgekit compile" in said
    (form / LOCK).write_text("{")
    assert main(["inspect", str(bundle.path), "--verify"]) == 1
    assert "lock.json is not valid JSON" in capsys.readouterr().err


def test_inspect_lists_the_forms_and_whose_they_are(bundle: Bundle, capsys: Capture) -> None:
    form = folder_of(bundle, here())
    shutil.copytree(form, form.with_name("elsewhere"))
    shutil.copytree(form, form.with_name(".half.part"))
    change("place/version", "1.2.3")(form.with_name("elsewhere"))
    assert main(["inspect", str(bundle.path)]) == 0
    first, second = sorted(line for line in capsys.readouterr().out.splitlines() if line.startswith("compiled"))
    assert "for onnxruntime 1.2.3" in first
    assert "not used here" in first
    assert second.endswith("for this machine")
    assert main(["inspect", str(bundle.path), "--json"]) == 0
    found = {Path(form["folder"]): form for form in json.loads(capsys.readouterr().out)["compiled"]}
    assert not found[form]["misfit"]
    assert found[form]["bytes"] == sum(file.stat().st_size for file in form.iterdir() if file.name != LOCK)
    assert main(["inspect", str(bundle.path), "--vision", str(bundle.path)]) == 2
    assert "--vision is for checkpoints" in capsys.readouterr().err


def test_a_bundle_without_a_form_is_nothing_to_warn_of(bundle: Bundle, caplog: pytest.LogCaptureFixture) -> None:
    shutil.rmtree(bundle.path / "engines")
    assert compiled_form(bundle) is None
    assert not caplog.records


def test_progress_ends_with_the_whole(bundle: Bundle) -> None:
    everything: list[tuple[str, int, int]] = []
    compiled = compile_bundle(bundle, lambda *step: everything.append(step))
    seen = [step for step in everything if step[0] == "compile"]
    assert {step[0] for step in everything} == {"verify", "compile"}
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert seen[-1][1] == seen[-1][2] > 0
    assert compiled.folder == folder_of(bundle, here())
    assert compiled.bytes == sum(file.stat().st_size for file in compiled.folder.iterdir())
    assert 16 << 20 < compiled.peak_bytes < 1 << 30


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Let a shell script be what compiles."""
    python = folder / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(python))


@pytest.mark.parametrize(
    ("script", "said"),
    [("echo boom >&2; exit 3", "failed: boom"), ("kill -9 $$", "ended by SIGKILL"), ("exit 0", "it gave no answer")],
)
def test_a_crash_is_one_error_and_leaves_nothing(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    shutil.rmtree(bundle.path / "engines")
    stand_in(tmp_path, monkeypatch, script)
    with pytest.raises(EngineError, match=said):
        compile_bundle(bundle)
    assert not (bundle.path / "engines").exists()


def test_an_interruption_ends_the_work_and_leaves_the_old_form(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(stage: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    stand_in(tmp_path, monkeypatch, 'echo \'["progress", "compile", 1, 2]\'; exec sleep 60')
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        compile_bundle(bundle, interrupt)
    assert time.monotonic() - started < 20
    assert [path.name for path in (bundle.path / "engines").iterdir()] == [folder_of(bundle, here()).name]
    assert compiled_form(bundle)


def test_the_child_ends_with_its_parent(bundle: Bundle, tmp_path: Path) -> None:
    """The child is a shell script that notes the end of its stdin; its parent is killed."""
    (tmp_path / "python").write_text(
        f'#!/bin/sh\necho \'["progress", "compile", 1, 2]\'\ncat\ntouch {tmp_path}/ended\n'
    )
    (tmp_path / "python").chmod(0o755)
    program = (
        "import sys; from pathlib import Path; from edgekit.bundle import open_bundle\n"
        "from edgekit.engines.compile import compile_bundle\n"
        f"sys.executable = {str(tmp_path / 'python')!r}\n"
        f"compile_bundle(open_bundle(Path({str(bundle.path)!r})), lambda *step: print(*step, flush=True))\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        assert any(line.startswith("compile") for line in parent.stdout)
        assert len(list((bundle.path / "engines").iterdir())) == 2
        parent.kill()
    wait_until((tmp_path / "ended").exists)
    compile_bundle(bundle)
    assert [path.name for path in (bundle.path / "engines").iterdir()] == [folder_of(bundle, here()).name]


def test_the_compiler_ends_with_its_stdin(tmp_path: Path) -> None:
    (tmp_path / "graphs").mkdir()
    (tmp_path / "form").mkdir()
    os.mkfifo(tmp_path / "graphs" / "decoder.onnx")  # it would wait for this for ever
    command = [sys.executable, "-m", "edgekit.engines.onnxruntime.packing", str(tmp_path), str(tmp_path / "form")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as child:
        wait_until((tmp_path / "form" / "scratch").exists)
        assert child.poll() is None
        assert child.stdin
        child.stdin.close()
        try:
            assert child.wait(20) == 1
        finally:
            child.kill()


def wait_until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_bundle_that_is_replaced_meanwhile_is_one_clear_error(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, f"rm -r {bundle.path}; echo FileNotFoundError >&2; exit 1")
    with pytest.raises(EngineError, match="was replaced or removed while"):
        compile_bundle(bundle)


def test_read_only_storage_is_named(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(EngineError, match="can't be written to"):
        compile_bundle(bundle)
    found = compile_here(bundle)
    assert isinstance(found, NotCompiled)
    assert found.tried
    assert "only saves memory" in found.why.hint
    assert "can't be written to" in caplog.text


def test_engines_that_lie_elsewhere_need_no_bundle_that_can_be_written_to(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(bundle.path / "engines", ignore_errors=True)
    (bundle.path / "engines").symlink_to(tmp_path / "volume")
    (tmp_path / "volume").mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != bundle.path)
    assert compile_bundle(bundle).folder.resolve().parent == tmp_path / "volume"


@pytest.mark.parametrize(
    ("change", "said"),
    [({"engine": "onnxruntime-cuda"}, "nothing to compile"), ({"arch": "vax"}, "this machine is")],
)
def test_a_bundle_for_another_kind_of_machine_is_left_alone(
    bundle: Bundle, caplog: pytest.LogCaptureFixture, change: dict[str, Any], said: str
) -> None:
    other = replace(bundle, manifest=replace(bundle.manifest, target=replace(TARGET, **change)))
    with pytest.raises(EngineError, match=said):
        compile_bundle(other)
    found = compile_here(other)
    assert isinstance(found, NotCompiled)
    assert not found.tried
    assert "BUNDLE" not in found.why.hint
    assert not caplog.records


def test_the_command_says_what_it_made(bundle: Bundle, capsys: Capture) -> None:
    shutil.rmtree(bundle.path / "engines")
    assert main(["compile", str(bundle.path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert Path(document["folder"]) == folder_of(bundle, here())
    assert document["bytes"] == sum(file.stat().st_size for file in folder_of(bundle, here()).iterdir())
    assert document["seconds"] > 0
    assert document["peak_bytes"] > 0
    assert compiled_form(bundle)
    assert main(["compile", str(bundle.path)]) == 0
    assert folder_of(bundle, here()).name in capsys.readouterr().out
    assert main(["compile", str(bundle.path / "graphs")]) == 1
