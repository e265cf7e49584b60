"""What holds of building plans without a TensorRT: the simulated builder stands in for it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import onnx
import pytest

from edgekit.child import environment
from edgekit.engines.tensorrt.api import Flavour
from edgekit.engines.tensorrt.build.job import Options
from edgekit.engines.tensorrt.build.need import Need
from edgekit.engines.tensorrt.build.phases import SHARES
from edgekit.engines.tensorrt.build.plan import BuiltPlan, build_plan
from edgekit.errors import EdgeKitError, EngineError, MissingExtra
from tests.simulated_tensorrt import builder

PROFILES = [{"x": ((1, 8), (4, 8), (8, 8))}]
Build = Callable[..., BuiltPlan]


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    """Build with a fake that does as it is told; what it leaves behind lies in ``tmp_path/plans``."""
    fakes = tmp_path / "fakes"
    fakes.mkdir()
    builder.install(fakes)
    monkeypatch.syspath_prepend(str(fakes))
    graph = tmp_path / "decoder.onnx"
    x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["rows", 8])
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "g", [x], [])), str(graph))

    def run(
        does: str = "", options: Options | None = None, told: list[tuple[str, int, int]] | None = None
    ) -> BuiltPlan:
        monkeypatch.setenv("FAKE_TENSORRT", does)
        plan = tmp_path / "plans" / "decoder.plan"
        kept: list[tuple[str, int, int]] = [] if told is None else told
        return build_plan(graph, plan, PROFILES, options or Options("tensorrt"), lambda *words: kept.append(words))

    return run


def left(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "plans").iterdir())


@pytest.mark.parametrize(("wanted", "extra"), [(None, "tensorrt"), ("tensorrt", "tensorrt"), ("tensorrt_rtx", "rtx")])
def test_a_missing_module_names_its_extra(
    wanted: Flavour | None, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=rf"the extra '{extra}'"):
        build_plan(tmp_path / "graph.onnx", tmp_path / "plan", [], Options(wanted))


def test_a_plan_and_what_is_told_of_it(build: Build, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    built = build(told=told)
    plan = json.loads(built.path.read_text())
    assert plan["graph"] == str(tmp_path / "decoder.onnx")
    assert plan["profiles"] == [{"x": [[1, 8], [4, 8], [8, 8]]}]
    assert built.bytes == built.path.stat().st_size
    assert (built.version, built.warnings) == ("10.3.0", ("a warning",))
    assert (built.weight_bytes, built.activation_bytes) == (256, (512,))
    assert (built.layers, built.fused, built.fused_attention) == (("kgen _gemm_mha_v2_myl0_13",), (1,), 1)
    assert built.peak_bytes > 1 << 20
    assert built.device_peak_bytes == 4 << 20
    assert told == [("build", 0, SHARES), ("build", SHARES // 2, SHARES), ("build", SHARES, SHARES)]
    assert left(tmp_path) == ["decoder.plan"]


@pytest.mark.parametrize("name", ["tensorrt", "tensorrt_rtx"])
def test_the_builder_is_told_its_workspace_and_its_level(name: Flavour, build: Build) -> None:
    version, capability = ("version 1.7.0", "8.6") if name == "tensorrt_rtx" else ("", None)
    for level, expected in ((2, 2), (0, 0), (None, 3)):  # 3 is TensorRT's own
        built = build(version, Options(name, capability, workspace_bytes=300 << 20, optimization_level=level))
        plan = json.loads(built.path.read_text())
        assert (plan["workspace"], plan["level"]) == (300 << 20, expected)


@pytest.mark.parametrize(
    ("does", "options", "message", "hint"),
    [
        (
            "version 8.6.1",
            Options("tensorrt"),
            r"^TensorRT 8\.6\.1 is too old: EdgeKit needs 10\.3",
            "JetPack 6.2",
        ),
        ("version 10.2.0.post1", Options("tensorrt"), "too old", ""),
        ("version 1.4.0", Options("tensorrt_rtx"), r"^TensorRT-RTX 1\.4\.0 is too old", "rtx"),
        ("import", Options("tensorrt"), "can't be loaded: libnvinfer", "Install it again"),
        (
            "parser",
            Options("tensorrt"),
            "decoder.onnx: NoSuchOperator 'first': .* not known; NoSuchOperator \\(node 1\\): .* not known",
            "operator",
        ),
        (
            "killed",
            Options("tensorrt"),
            "decoder.onnx was ended by the system .*memory",
            "takes about 450 MiB of memory, and ",
        ),
        ("memory", Options("tensorrt", optimization_level=4), "out of memory: OutOfMemory", "narrower weights"),
        ("no-gpu", Options("tensorrt"), "no NVIDIA GPU.*: CUDA initialization failure", "on the device"),
        ("old-driver", Options("tensorrt"), "no NVIDIA driver that is new enough.*insufficient", "edgekit doctor"),
        ("full", Options("tensorrt"), r"No space is left to write \S+/plans/decoder\.plan\n", "Make room"),
        (
            "",
            Options("tensorrt", "8.6"),
            "builds for this machine's GPU, not for compute capability 8.6",
            "TensorRT-RTX",
        ),
        (
            "version 1.7.0",
            Options("tensorrt_rtx", "8.7"),
            "builds for compute capability 8.6, not 8.7",
            "device itself",
        ),
    ],
)
def test_a_failure_is_one_clear_error_and_the_old_plan_stays(
    does: str, options: Options, message: str, hint: str, build: Build, tmp_path: Path
) -> None:
    build()
    with pytest.raises(EdgeKitError, match=message) as failed:
        build(does, options)
    assert hint in failed.value.hint
    assert left(tmp_path) == ["decoder.plan"]
    assert build().version == "10.3.0"  # the next try is as the first


def test_a_build_that_will_hardly_fit_is_announced_and_tried(
    build: Build, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    build()
    assert not caplog.records
    monkeypatch.setattr(
        "edgekit.engines.tensorrt.build.plan.need", lambda graph: Need(graph.name, 3 << 30, 1 << 30, 2 << 30)
    )
    assert build().version == "10.3.0"
    assert "decoder.onnx takes about 3.00 GiB of memory, and 2.00 GiB was free" in caplog.text
    for does in ("killed", "memory"):
        with pytest.raises(EngineError) as failed:
            build(does)
        assert "3.00 GiB of memory, and 2.00 GiB was free" in failed.value.hint


def test_a_graph_that_is_not_there(build: Build, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"There is no graph .*none\.onnx"):
        build_plan(tmp_path / "none.onnx", tmp_path / "plan", [], Options())


def test_profiles_must_fit_the_graph(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    for profiles, message in (
        ([], "x need a profile"),
        ([{"y": PROFILES[0]["x"]}], "differ in x, y"),
        ([{"x": ((2, 8), (1, 8), (2, 8))}], "not in order"),
        ([{"x": ((1, 8), (1, 8), (1, 8, 1))}], "not in order"),
    ):
        monkeypatch.setattr(f"{__name__}.PROFILES", profiles)
        with pytest.raises(EngineError, match=message):
            build()


@pytest.mark.parametrize("before", [None, b"measured", b"of another GPU, or half a file"])
def test_a_timing_cache_is_used_and_a_damaged_one_replaced(before: bytes | None, build: Build, tmp_path: Path) -> None:
    cache = tmp_path / "cache" / "timings"
    if before is not None:
        cache.parent.mkdir()
        cache.write_bytes(before)
    build(options=Options("tensorrt", timing_cache=cache))
    assert cache.read_bytes() == b"measured" * (2 if before == b"measured" else 1)
    assert [path.name for path in cache.parent.iterdir()] == ["timings"]


def test_a_timing_cache_that_cannot_be_kept_costs_no_plan(
    build: Build, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "timings").mkdir()
    assert build(options=Options("tensorrt", timing_cache=tmp_path / "timings")).path.exists()
    assert "the timing cache was not kept" in caplog.text


def test_tensorrt_rtx_measures_nothing_so_its_cache_is_let_be(build: Build, tmp_path: Path) -> None:
    build("version 1.7.0", Options("tensorrt_rtx", "8.6", timing_cache=tmp_path / "timings"))
    assert not (tmp_path / "timings").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill"])
def test_an_interrupted_build_leaves_no_child_and_nothing_half_written(
    number: signal.Signals, build: Build, tmp_path: Path
) -> None:
    build()
    (tmp_path / "plans" / "decoder.plan").write_bytes(b"the old plan")
    mark = tmp_path / "child"
    code = (
        "import sys; from pathlib import Path; from edgekit.engines.tensorrt.build.plan import build_plan;"
        "from edgekit.engines.tensorrt.build.job import Options; from edgekit.files import write_text;"
        "here = Path(sys.argv[1]);"
        "build_plan(here / 'decoder.onnx', here / 'plans/decoder.plan', [{'x': ((1, 8),) * 3}], Options('tensorrt'))"
    )
    environ = environment() | {"FAKE_TENSORRT": f"hang {mark}"}
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], env=environ, start_new_session=True, stderr=subprocess.DEVNULL
    )
    child = int(wait_for(lambda: mark.exists() and mark.read_text()))
    if number == signal.SIGINT:
        os.killpg(parent.pid, number)  # a terminal's Ctrl-C reaches the child as well
    else:
        parent.kill()
    assert parent.wait(30) != 0
    wait_for(lambda: gone(child))
    assert (tmp_path / "plans" / "decoder.plan").read_bytes() == b"the old plan"
    if number == signal.SIGINT:
        assert left(tmp_path) == ["decoder.plan"]
    assert build().version == "10.3.0"
    assert left(tmp_path) == ["decoder.plan"]  # of a killed one's, too


def wait_for(done: Callable[[], str | bool]) -> str:
    for _ in range(3000):
        if answer := done():
            return str(answer)
        time.sleep(0.01)
    raise AssertionError("it took too long")


def gone(process: int) -> bool:
    with suppress(FileNotFoundError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True
