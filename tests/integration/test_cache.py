"""A bundle with an int8 KV cache, whole: nearly the same logits in a quarter of the arena, and clear refusals."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgekit.blocks.distributions import divergence, log_softmax
from edgekit.bundle import Bundle, open_bundle
from edgekit.check.cache import CacheLoss
from edgekit.check.fidelity import read_fidelity
from edgekit.check.forced import Reader, stored_rows
from edgekit.check.golden import read_golden
from edgekit.cli.main import main
from edgekit.engines.onnxruntime.engine import OnnxRuntimeEngine
from edgekit.engines.open import engine_here, open_engine
from edgekit.errors import ConfigError, EngineError
from edgekit.evaluate.agreement import agreement
from edgekit.evaluate.phantoms import questions
from edgekit.inputs.images import Picture
from edgekit.inputs.prompt import Prompt, Turn, build
from edgekit.onnx_session import runtime_version
from edgekit.phantom import draw
from edgekit.phantom.embedded import embedded
from edgekit.pipeline import build as build_bundle
from edgekit.plan import plan
from edgekit.plan.planning import as_built
from edgekit.progress import Progress
from edgekit.recipe import recipe
from edgekit.runtime.model import open_tokenizer
from edgekit.target import target
from tests.checkpoints import write_checkpoint
from tests.embedded_bundles import EmbeddedBundles

CPU = replace(target("cpu"), slots=3)
KV8 = replace(recipe("q4"), name="q4-kv8", kv="int8")
TOML = """name = "q4-kv8"
title = "4-bit weights, keys and values in int8"
vision = "int8"
projector = "int8"
embedding = "int8"
decoder = "int4"
lm_head = "int4"
kv = "int8"
"""
old = runtime_version() < (1, 28)
pytestmark = pytest.mark.skipif(old, reason="this ONNX Runtime has no int8 KV cache")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    made = build_bundle(embedded(), CPU, KV8, tmp_path_factory.mktemp("cache") / "bundle")
    assert made.compiled
    return made.bundle


@pytest.fixture(scope="module")
def plain(embedded_as: EmbeddedBundles) -> Bundle:
    return embedded_as("q4")


def prompts(bundle: Bundle, count: int) -> list[Prompt]:
    spec, tokenizer = bundle.manifest.spec, open_tokenizer(bundle)
    return [
        build(spec, tokenizer, [Turn(asked.question.text, asked.question.answer, (Picture.of(draw(asked.scene)),))])
        for asked in questions(count)
    ]


def test_its_logits_are_nearly_those_of_the_same_weights_with_a_float_cache(bundle: Bundle, plain: Bundle) -> None:
    rounded, whole = open_engine(bundle, 1), open_engine(plain, 1)
    found = agreement(rounded, whole, prompts(bundle, 20))
    assert found.top1.total > 300
    assert found.top1.percent > 99
    assert 0 < found.mean_kl < 1e-3
    same = agreement(whole, open_engine(plain, 1), prompts(plain, 3))
    assert (same.mean_kl, same.top1.percent) == (0, 100)


def test_a_build_says_what_the_cache_takes_by_itself(
    bundle: Bundle, plain: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside the same weights that were built with a float cache, over the words that the build had read."""
    golden, arrays = read_golden(bundle)
    divergences, same = [], 0
    with closing(engine_here(bundle)) as rounded, closing(engine_here(plain)) as whole:
        for at in golden.alone:
            rows, following = stored_rows(golden.sequences[at], arrays.tokens.tolist(), arrays.exact)
            q, p = (
                log_softmax(Reader(engine).forced_rows(rows, following).astype(np.float64))
                for engine in (rounded, whole)
            )
            divergences += divergence(p, q).tolist()
            same += int((p.argmax(-1) == q.argmax(-1)).sum())
    told = read_fidelity(bundle).cache
    assert told is not None
    assert (told.positions, told.same) == (len(divergences), same)
    assert told.kl == pytest.approx(np.mean(divergences), rel=1e-3, abs=1e-9)
    assert told.worst_kl == pytest.approx(max(divergences), rel=1e-3, abs=1e-9)
    assert 0 < told.kl < 1e-3
    assert read_fidelity(plain).cache is None
    assert {path.name for path in bundle.path.iterdir()} == {path.name for path in plain.path.iterdir()}
    assert main(["report", "fidelity", str(bundle.path)]) == 0
    assert f"{same} of {len(divergences)} first choices stay" in capsys.readouterr().out


def test_a_figure_that_cannot_be_measured_costs_no_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(bundle: Bundle, progress: Progress) -> CacheLoss:
        raise EngineError("This machine has no room for a KV arena")

    monkeypatch.setattr("edgekit.pipeline.stages.cache_loss", no_room)
    write_checkpoint(tmp_path / "checkpoint")
    made = build_bundle(tmp_path / "checkpoint", replace(CPU, context=160), KV8, tmp_path / "bundle")
    assert made.notes[-1].endswith("was not measured: This machine has no room for a KV arena")
    assert read_fidelity(made.bundle).cache is None
    assert not list((made.bundle.path / "graphs").glob(".*"))


@pytest.mark.parametrize("slots", [1, 2, 3])
def test_its_arena_is_planned_to_the_byte_and_a_quarter(bundle: Bundle, plain: Bundle, slots: int) -> None:
    def planned(which: Bundle) -> int:
        device, how = as_built(which, replace(which.manifest.target, slots=slots))
        return plan(which, device, how).components["kv_arena"]

    engine = open_engine(bundle, slots)
    assert engine.kv_bytes == planned(bundle) == planned(plain) // 4


def test_compiled_and_not_it_answers_the_same(bundle: Bundle) -> None:
    compiled, sealed = open_engine(bundle, 1), OnnxRuntimeEngine(bundle, bundle.path / "graphs", 1)
    for engine in (compiled, sealed):
        engine.prefill(0, engine.embed(list(range(10, 40))), 0)
    np.testing.assert_array_equal(compiled.decode([7], [0]), sealed.decode([7], [0]))


def test_a_quantized_checkpoint_brings_its_scales_along(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(TOML)
    how = ["--recipe", str(tmp_path / "r.toml"), "--out"]
    assert main(["quantize", str(embedded()), *how, str(tmp_path / "q")]) == 0
    assert main(["build", str(tmp_path / "q"), "--target", "cpu", *how, str(tmp_path / "twice")]) == 0
    one, other = bundle.manifest.files, open_bundle(tmp_path / "twice").manifest.files
    assert {name: file for name, file in one.items() if name.startswith("graphs/")} == {
        name: file for name, file in other.items() if name.startswith("graphs/")
    }


def test_examples_give_the_ranges_where_there_are_any(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(TOML.replace("int4", "int8").replace("q4", "q8"))
    assert main(["phantoms", str(tmp_path / "data"), "--count", "1", "--split", "train"]) == 0
    how = ["build", "--target", "cpu", "--recipe", str(tmp_path / "r.toml"), "--calibrate", str(tmp_path / "data")]
    assert main([*how, "--out", str(tmp_path / "bundle")]) == 0
    assert open_bundle(tmp_path / "bundle").manifest.recipe.method == "awq+gptq"


def test_gpus_and_older_runtimes_are_told_what_to_do(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="CPUs") as refused:
        build_bundle(embedded(), target("orin"), KV8, Path("nowhere"))
    assert "activations" in refused.value.hint
    for version in ("1.23.2", "1.27.0"):
        monkeypatch.setattr("edgekit.engines.onnxruntime.engine.ort.__version__", version)
        with pytest.raises(EngineError, match=version) as older:
            open_engine(bundle, 1)
        assert "onnxruntime>=1.28" in older.value.hint
