"""Session options: what the processor decides, and what the caller does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest

from edgekit import onnx_session
from edgekit.checkpoint.open import open_checkpoint
from edgekit.errors import EngineError, MissingExtra
from edgekit.export import Activations, export
from edgekit.export.export import SPELLINGS
from edgekit.onnx_session import open_graph, options, refuse_two_runtimes, runtime_version, sums_saturate
from edgekit.phantom.embedded import embedded
from edgekit.quantize import quantize
from edgekit.recipe import recipe
from edgekit.target.kinds import KINDS
from tests.unit.int8_graphs import Case, X, dequantized, dynamic, static

KEY = "session.x64quantprecision"


@pytest.fixture(autouse=True)
def ask_again() -> Iterator[None]:
    sums_saturate.cache_clear()
    yield
    sums_saturate.cache_clear()


@dataclass
class Opened:
    """The graphs that were opened, by their files' names, and whether each had the option."""

    exact: dict[str, bool] = field(default_factory=dict)

    def note(self, graph: str | bytes, session_options: Any) -> None:
        name = Path(graph).stem if isinstance(graph, str) else "bytes"
        try:
            self.exact[name] = session_options.get_session_config_entry(KEY) == "1"
        except RuntimeError:  # as it says that there is none
            self.exact[name] = False


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Notes what is opened, and opens it."""
    seen, real = Opened(), onnxruntime.InferenceSession

    def noted(graph: str | bytes, session_options: Any, **rest: Any) -> Any:
        seen.note(graph, session_options)
        return real(graph, session_options, **rest)

    monkeypatch.setattr(onnxruntime, "InferenceSession", noted)
    return seen


def believe(monkeypatch: pytest.MonkeyPatch, saturates: bool) -> None:
    monkeypatch.setattr(onnx_session, "sums_saturate", lambda: saturates)


@pytest.mark.parametrize(
    ("arch", "features", "expected"),
    [
        ("x86_64", ("avx2", "fma"), True),
        ("x86_64", ("avx2", "avx512f"), True),
        ("x86_64", (), True),  # /proc/cpuinfo may tell nothing; the option does no harm
        ("AMD64", ("avx2",), True),
        ("x86_64", ("avx2", "avx512f", "avx512_vnni"), False),
        ("x86_64", ("avx2", "avx_vnni"), False),
        ("aarch64", ("asimd",), False),
        ("aarch64", ("asimd", "asimddp", "i8mm"), False),
    ],
)
def test_a_processor_s_instructions_tell_whether_its_sums_saturate(
    monkeypatch: pytest.MonkeyPatch, opened: Opened, arch: str, features: tuple[str, ...], expected: bool
) -> None:
    monkeypatch.setattr("platform.machine", lambda: arch)
    monkeypatch.setattr(onnx_session, "cpu_features", lambda: features)
    assert sums_saturate() == expected
    open_graph(dynamic().graph, "cpu")
    assert opened.exact == {"bytes": expected}


PRODUCTS = {
    f"{make.__name__}, {bias=}, {zero_point=}": make(bias=bias, zero_point=zero_point)
    for make in (dynamic, static)
    for bias in (True, False)
    for zero_point in (True, False)
    if zero_point or runtime_version() >= (1, 30)  # older ones have no exact sums without
}


@pytest.mark.parity
def test_what_is_believed_of_this_processor_is_so() -> None:
    """Without the option, sums are wrong where they are believed to saturate, and right elsewhere."""
    for case in (dynamic(), static()):
        alone = onnxruntime.InferenceSession(case.graph, options(), providers=["CPUExecutionProvider"])
        error = np.linalg.norm(alone.run(None, {"x": X})[0] - case.answer) / np.linalg.norm(case.answer)
        assert error > 0.05 if sums_saturate() else error < 1e-5


@pytest.mark.parity
@pytest.mark.parametrize("kind", PRODUCTS)
def test_int8_products_are_exact(kind: str) -> None:
    (product,) = open_graph(PRODUCTS[kind].graph, "cpu").run(None, {"x": X})
    np.testing.assert_allclose(product, PRODUCTS[kind].answer, rtol=1e-5, atol=1e-4)


@pytest.mark.parity
def test_products_of_dequantized_weights_are_floats_where_sums_saturate_too(monkeypatch: pytest.MonkeyPatch) -> None:
    believe(monkeypatch, True)
    case, session_options = dequantized(), options()
    session_options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")  # may be int8 as it comes
    (product,) = open_graph(case.graph, "cpu", session_options).run(None, {"x": X})
    np.testing.assert_allclose(product, case.answer, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", ["q8", "q4", "fp16"])
@pytest.mark.parametrize("spelled", KINDS)
@pytest.mark.parametrize("saturates", [True, False])
def test_only_graphs_of_int8_products_get_the_option(
    saturates: bool, spelled: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: Opened
) -> None:
    """Of the graphs of every engine's bundles: a processor's tower and projector in int8, and no others."""
    believe(monkeypatch, saturates)
    activations: Activations = "float32" if spelled == "onnxruntime" else "float16"
    quantized = quantize(open_checkpoint(embedded()), recipe(name))
    export(quantized, activations, 64, tmp_path, spelling=SPELLINGS[KINDS[spelled].spelling])
    for graph in ("vision", "projector", "decoder"):
        open_graph(tmp_path / "graphs" / f"{graph}.onnx", "cpu", options(final=True))
    multiplying = {"vision", "projector"} if saturates and spelled == "onnxruntime" and name != "fp16" else set()
    assert {graph for graph, exact in opened.exact.items() if exact} == multiplying
    assert len(opened.exact) == 3


@pytest.mark.parametrize("make", [dynamic, static])
@pytest.mark.parametrize("bias", [True, False])
def test_a_graph_that_an_old_runtime_would_compute_wrong_is_refused(
    make: Callable[..., Case], bias: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before 1.30, the option is passed over where weights have no zero point; bundles that were built earlier."""
    believe(monkeypatch, True)
    monkeypatch.setattr(onnxruntime, "__version__", "1.29.0")
    with pytest.raises(EngineError, match="int8 products wrong") as refused:
        open_graph(make(bias=bias, zero_point=False).graph, "cpu")
    assert "onnxruntime>=1.30" in refused.value.hint
    open_graph(make(bias=bias).graph, "cpu")
    open_graph(dequantized().graph, "cpu")
    believe(monkeypatch, False)
    open_graph(make(bias=bias, zero_point=False).graph, "cpu")


def test_a_graph_that_is_not_there_is_the_runtime_s_to_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = []
    for saturates in (True, False):
        believe(monkeypatch, saturates)
        with pytest.raises(EngineError) as refused:
            open_graph(tmp_path / "vision.onnx", "cpu")
        notes.append(refused.value.message)
    assert notes[0] == notes[1]


def test_final_graphs_are_taken_as_they_are() -> None:
    level = onnxruntime.GraphOptimizationLevel
    assert options(final=True).graph_optimization_level == level.ORT_DISABLE_ALL
    assert options().graph_optimization_level == level.ORT_ENABLE_ALL
    assert options(threads=3).intra_op_num_threads == 3


def test_a_missing_extra_is_not_the_graphs_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(MissingExtra, match="'gpu'"):
        open_graph(b"", "cuda")


@pytest.mark.parametrize("installed", [{"onnxruntime"}, {"onnxruntime-gpu"}, {"onnxruntime", "onnxruntime-gpu"}])
def test_two_runtimes_that_overwrite_each_other_are_named(monkeypatch: pytest.MonkeyPatch, installed: set[str]) -> None:
    monkeypatch.setattr(onnx_session, "_is_installed", installed.__contains__)
    if len(installed) == 1:
        refuse_two_runtimes()
        return
    with pytest.raises(EngineError, match="both installed") as refused:
        refuse_two_runtimes()
    assert "pip uninstall" in refused.value.hint


def test_work_that_may_run_anywhere_runs_on_cuda_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    assert onnx_session.fastest() == "cpu"
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    assert onnx_session.fastest() == "cpu"  # the build for a GPU, on a machine without one
    monkeypatch.setattr("edgekit.machine.look", lambda: SimpleNamespace(gpus=(object(),)))
    assert onnx_session.fastest() == "cuda"


def test_the_runtime_leaves_no_trace_in_the_home_of_its_user(tmp_path: Path) -> None:
    """Where ONNX Runtime's telemetry is on, importing it writes a device's id and a queue of events there."""
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    program = "import edgekit.onnx_session as s; s.ort.InferenceSession; print(s.ort.__version__)"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip()
    assert not list(tmp_path.rglob("*")), "something was left behind"
    assert "telemetry" not in done.stderr
