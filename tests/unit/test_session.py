"""Session options: what the processor decides, and what the caller does."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import onnxruntime
import pytest

from edgekit import session
from edgekit.errors import EngineError, MissingExtra
from edgekit.session import open_session, options, refuse_two_runtimes, sums_saturate

KEY = "session.x64quantprecision"


@pytest.fixture(autouse=True)
def ask_again() -> Iterator[None]:
    sums_saturate.cache_clear()
    yield
    sums_saturate.cache_clear()


@pytest.mark.parametrize(
    ("arch", "features", "expected"),
    [
        ("x86_64", ("avx2", "fma"), True),
        ("x86_64", ("avx2", "avx512f"), True),
        ("x86_64", ("avx2", "avx512f", "avx512_vnni"), False),
        ("x86_64", ("avx2", "avx_vnni"), False),
        ("aarch64", ("asimd",), False),
    ],
)
def test_exact_int8_is_asked_for_only_where_sums_saturate(
    monkeypatch: pytest.MonkeyPatch, arch: str, features: tuple[str, ...], expected: bool
) -> None:
    monkeypatch.setattr("platform.machine", lambda: arch)
    monkeypatch.setattr(session, "cpu_features", lambda: features)
    assert sums_saturate() == expected
    made = options()
    if expected:
        assert made.get_session_config_entry(KEY) == "1"
    else:
        with pytest.raises(RuntimeError, match=KEY):
            made.get_session_config_entry(KEY)


def test_final_graphs_are_taken_as_they_are() -> None:
    level = onnxruntime.GraphOptimizationLevel
    assert options(final=True).graph_optimization_level == level.ORT_DISABLE_ALL
    assert options().graph_optimization_level == level.ORT_ENABLE_ALL
    assert options(threads=3).intra_op_num_threads == 3


def test_a_missing_extra_is_not_the_graphs_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(MissingExtra, match="'gpu'"):
        open_session(b"", "cuda")


@pytest.mark.parametrize("installed", [{"onnxruntime"}, {"onnxruntime-gpu"}, {"onnxruntime", "onnxruntime-gpu"}])
def test_two_runtimes_that_overwrite_each_other_are_named(monkeypatch: pytest.MonkeyPatch, installed: set[str]) -> None:
    monkeypatch.setattr(session, "_is_installed", installed.__contains__)
    if len(installed) == 1:
        refuse_two_runtimes()
        return
    with pytest.raises(EngineError, match="both installed") as refused:
        refuse_two_runtimes()
    assert "pip uninstall" in refused.value.hint


def test_work_that_may_run_anywhere_runs_on_cuda_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    assert session.fastest() == "cpu"
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    assert session.fastest() == "cpu"  # the build for a GPU, on a machine without one
    monkeypatch.setattr(session, "detect", lambda: SimpleNamespace(gpus=(object(),)))
    assert session.fastest() == "cuda"
