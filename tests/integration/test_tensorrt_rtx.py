"""Plans for RTX 30xx cards, really built, on a machine without one: what becomes of weights and of attention."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.engines.tensorrt.build.job import Options
from edgekit.engines.tensorrt.build.plan import build_plan
from edgekit.engines.tensorrt.shapes import Profile, Shape
from edgekit.errors import EngineError
from tests import trt_graphs

pytestmark = pytest.mark.system
pytest.importorskip("tensorrt_rtx", reason="TensorRT-RTX is not installed", exc_type=ImportError)

AMPERE = Options("tensorrt_rtx", "8.6")
SIZE = 4096
LAYERS = 2


def decoder_shapes(rows: Shape, length: Shape, past: Shape) -> Profile:
    """The shapes of ``trt_graphs.decoder``: of each, the smallest, the usual, the largest."""
    three = list(zip(rows, length, past, strict=True))
    cache = tuple((r, trt_graphs.KV_HEADS, p, trt_graphs.HEAD_DIM) for r, _, p in three)
    ranges = {
        "x": tuple((r, n, trt_graphs.HIDDEN) for r, n, _ in three),
        "mask": tuple((r, 1, n, n + p) for r, n, p in three),
        **{f"past.{layer}.{part}": cache for layer in range(LAYERS) for part in ("key", "value")},
    }
    return {name: (least, usual, most) for name, (least, usual, most) in ranges.items()}


PREFILL = decoder_shapes((1, 1, 1), (1, 256, 512), (0, 512, 1536))
ONE_ROW = decoder_shapes((1, 1, 1), (1, 1, 1), (0, 1024, 2047))
ROWS = decoder_shapes((1, 1, 8), (1, 1, 2), (0, 1024, 2046))
ROWS_OF_ONE_TOKEN = decoder_shapes((1, 1, 8), (1, 1, 1), (0, 1024, 2047))


@pytest.mark.parametrize(("kind", "least", "most"), [("fp16", 2.0, 2.1), ("int8", 1.0, 1.2), ("int4", 0.5, 0.58)])
def test_weights_stay_as_narrow_as_they_were(kind: trt_graphs.Kind, least: float, most: float, tmp_path: Path) -> None:
    graph = trt_graphs.matrix(tmp_path / "matrix.onnx", kind, SIZE, SIZE)
    told: list[tuple[str, int, int]] = []
    profile: Profile = {"x": ((1, SIZE), (1, SIZE), (512, SIZE))}
    built = build_plan(graph, tmp_path / "plan", [profile], AMPERE, lambda *words: told.append(words))
    assert least <= built.bytes / SIZE**2 <= most
    assert built.bytes == (tmp_path / "plan").stat().st_size
    assert built.weight_bytes is not None
    assert least <= built.weight_bytes / SIZE**2 <= most
    assert 64 << 20 < built.peak_bytes < 4 << 30
    shares = [done for _, done, _ in told]
    assert shares == sorted(shares)
    assert told[-1][1] == told[-1][2]


def test_stacked_heads_become_one_kernel_of_attention(tmp_path: Path) -> None:
    graph = trt_graphs.decoder(tmp_path / "decoder.onnx", "stacked", LAYERS)
    built = build_plan(graph, tmp_path / "plan", [PREFILL, ONE_ROW, ROWS], AMPERE)
    assert built.fused == (LAYERS, LAYERS, LAYERS)
    assert len(built.activation_bytes) == 3


def test_profiles_share_weights_where_query_key_and_value_are_one_matrix(tmp_path: Path) -> None:
    taken = []
    for packed in (True, False):
        graph = trt_graphs.decoder(tmp_path / "decoder.onnx", "stacked", LAYERS, packed=packed)
        built = build_plan(graph, tmp_path / "plan", [PREFILL, ROWS], AMPERE)
        assert built.weight_bytes is not None
        taken.append(built.weight_bytes / LAYERS / trt_graphs.LAYER_WEIGHTS)
    assert taken[0] <= 0.52
    assert taken[1] > 0.75  # each profile has its own; should this fail, matrices apart have become as good


def test_grouped_heads_do_not(tmp_path: Path) -> None:
    graph = trt_graphs.decoder(tmp_path / "decoder.onnx", "grouped", LAYERS)
    built = build_plan(graph, tmp_path / "plan", [PREFILL, ONE_ROW, ROWS], AMPERE)
    assert (built.fused, built.fused_attention) == ((0, 0, 0), 0)
    assert any("gemm 0.attention.scores" in layer for layer in built.layers)


@pytest.mark.parametrize(("packed", "fused"), [(True, LAYERS), (False, 0)])
def test_rows_of_one_token_are_fused_where_query_key_and_value_are_one_matrix(
    packed: bool, fused: int, tmp_path: Path
) -> None:
    graph = trt_graphs.decoder(tmp_path / "decoder.onnx", "stacked", LAYERS, packed=packed)
    assert build_plan(graph, tmp_path / "plan", [ROWS_OF_ONE_TOKEN], AMPERE).fused == (fused,)


def test_what_cannot_be_built_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    broken = trt_graphs.broken(tmp_path / "broken.onnx")
    with pytest.raises(EngineError, match=r"NoSuchOperator 'first': .*; NorThisOne \(node 1\): "):
        build_plan(broken, tmp_path / "plan", [], AMPERE)
    graph = trt_graphs.matrix(tmp_path / "matrix.onnx", "int4", 256, 256)
    profile: Profile = {"x": ((1, 256), (1, 256), (8, 256))}
    with pytest.raises(EngineError, match=r"compute capability 7\.5, .* not 8\.7"):
        build_plan(graph, tmp_path / "plan", [profile], Options("tensorrt_rtx", "8.7"))
    (tmp_path / "matrix.onnx.data").unlink()
    with pytest.raises(EngineError, match=r"can't read .*matrix\.onnx: .*y\.weight"):
        build_plan(graph, tmp_path / "plan", [profile], AMPERE)
    (tmp_path / "matrix.onnx").write_bytes(b"no graph")
    with pytest.raises(EngineError, match=r"can't read .*matrix\.onnx"):
        build_plan(graph, tmp_path / "plan", [profile], AMPERE)
    assert not (tmp_path / "plan").exists()
    assert capfd.readouterr() == ("", "")  # TensorRT's own lines go nowhere


def test_a_workspace_that_is_too_small_says_what_is_needed(tmp_path: Path) -> None:
    graph = trt_graphs.decoder(tmp_path / "decoder.onnx", "stacked", LAYERS)
    with pytest.raises(EngineError, match=r"needs a workspace of .* MiB") as failed:
        build_plan(graph, tmp_path / "plan", [PREFILL], Options("tensorrt_rtx", "8.6", workspace_bytes=1 << 20))
    assert "or more" in failed.value.hint
