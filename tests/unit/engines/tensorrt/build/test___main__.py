"""The process that builds a plan, here in this one, with the simulated builder: Ctrl-C, and measured kernels."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import onnx
import pytest

from edgekit.engines.tensorrt.build.__main__ import build
from edgekit.engines.tensorrt.build.job import Job, Options
from edgekit.errors import EngineError
from tests.simulated_tensorrt import builder

Prepare = Callable[..., Job]


@pytest.fixture
def prepare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Prepare]:
    """A job for a builder that does as it is told; Ctrl-C is afterwards what it was."""
    builder.install(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["rows", 8])
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "g", [x], [])), str(tmp_path / "decoder.onnx"))
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setitem(sys.modules, "tensorrt", sys)  # so that it is taken out again

    def job(does: str = "", cache: Path | None = None) -> Job:
        monkeypatch.setenv("FAKE_TENSORRT", does)
        monkeypatch.delitem(sys.modules, "tensorrt")
        return Job(
            graph=tmp_path / "decoder.onnx",
            plan=tmp_path / "decoder.part",
            place=tmp_path / "decoder.plan",
            profiles=({"x": ((1, 8), (4, 8), (8, 8))},),
            options=Options("tensorrt", timing_cache=cache),
        )

    yield job
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_ends_it_at_the_next_step_with_nothing_written(prepare: Prepare, tmp_path: Path) -> None:
    steps: list[int] = []

    def interrupt(done: int, total: int) -> None:
        steps.append(done)
        os.kill(os.getpid(), signal.SIGINT)

    job = prepare(f"hang {tmp_path / 'pid'}")
    with pytest.raises(EngineError, match="Building was interrupted"):
        build(job, interrupt)
    assert steps
    assert not job.plan.exists()


def test_what_is_told_is_of_the_place_where_the_plan_will_lie(prepare: Prepare, tmp_path: Path) -> None:
    job = prepare()
    built = build(job, lambda done, total: None)
    assert built.path == tmp_path / "decoder.plan"
    assert not built.path.exists()
    assert built.bytes == len(job.plan.read_bytes())
    assert json.loads(job.plan.read_text())["graph"] == str(job.graph)
    assert (built.flavour, built.version, built.warnings) == ("tensorrt", "10.3.0", ("a warning",))


@pytest.mark.parametrize(("before", "after"), [(None, None), ("", b"measured"), ("measured", b"measuredmeasured")])
def test_measured_kernels_are_read_and_what_is_new_lies_beside_the_plan(
    before: str | None, after: bytes | None, prepare: Prepare, tmp_path: Path
) -> None:
    """None is wanted, there is none yet, and one that is added to."""
    cache = tmp_path / "timings" if before is not None else None
    if cache and before:
        cache.write_text(before)
    job = prepare(cache=cache)
    build(job, lambda done, total: None)
    assert (job.timings.read_bytes() if job.timings.exists() else None) == after
