"""Attention over an int8 cache against numpy, which rounds keys and values in the same way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edgekit.checkpoint.spec import DecoderSpec, RopeSpec
from edgekit.errors import CheckpointError, ConfigError
from edgekit.export.attention import GroupQueryAttention
from edgekit.export.graph import Graph
from edgekit.export.spelling import FLOAT16, FLOAT32
from edgekit.export.write import write_graph
from edgekit.onnx_session import runtime_version
from edgekit.quantize.cache import Held
from tests.unit.export.running import session

Floats = npt.NDArray[np.float32]
HEADS, KV_HEADS, DIM, CONTEXT = 4, 2, 32, 64
DECODER = DecoderSpec(
    kind="llama",
    hidden=128,
    layers=1,
    heads=HEADS,
    kv_heads=KV_HEADS,
    head_dim=DIM,
    ff=256,
    vocab=100,
    context=CONTEXT,
    norm="rms",
    norm_eps=1e-5,
    activation="silu",
    gated=True,
    rope=RopeSpec(theta=1e4, dim=DIM),
)
WIDTH = (HEADS + 2 * KV_HEADS) * DIM
LENGTHS = (41, 23, 7, 60)
old = runtime_version() < (1, 28)
pytestmark = pytest.mark.skipif(old, reason="this ONNX Runtime has no int8 KV cache")


def projected(length: int) -> Floats:
    """Queries, keys and values of a row, channels of different size."""
    rng = np.random.default_rng(length)
    rows: Floats = rng.standard_normal((length, WIDTH)).astype(np.float32) * np.linspace(0.2, 3, WIDTH, dtype="f4")
    return rows


def turned(x: Floats) -> Floats:
    """Rotary embedding of ``[heads, length, dim]`` from position 0 on."""
    half = DIM // 2
    angles = np.arange(x.shape[1])[:, None] * 1e4 ** (-np.arange(half) / half)
    cos, sin = np.cos(angles), np.sin(angles)
    first, second = x[..., :half], x[..., half:]
    return np.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)


def parts(qkv: Floats) -> tuple[Floats, Floats, Floats]:
    heads = qkv.reshape(len(qkv), -1, DIM).transpose(1, 0, 2)
    return turned(heads[:HEADS]), turned(heads[HEADS : HEADS + KV_HEADS]), heads[HEADS + KV_HEADS :]


def scales() -> tuple[Floats, Floats]:
    """Two thirds of what these rows need, so that some values are beyond."""
    cached = [parts(projected(length))[1:] for length in LENGTHS]
    ranges = [np.max([np.abs(sides[kind]).max(axis=1) for sides in cached], axis=0) for kind in (0, 1)]
    keys, values = (np.asarray(largest * (2 / 3) / 127, np.float32) for largest in ranges)
    return keys, values


def expected(qkv: Floats) -> Floats:
    queries, keys, values = parts(qkv)
    kept = [
        np.clip(np.rint(x / scale[:, None]), -128, 127) * scale[:, None]
        for x, scale in zip((keys, values), scales(), strict=True)
    ]
    keys, values = (np.repeat(x, HEADS // KV_HEADS, axis=0) for x in kept)
    scores = queries @ keys.transpose(0, 2, 1) / np.sqrt(DIM)
    scores = np.where(np.tril(np.ones(scores.shape[1:], bool)), scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    return np.asarray((weights @ values).transpose(1, 0, 2).reshape(len(qkv), -1), np.float32)


def graph_of(path: Path, tensors: dict[str, Any]) -> Path:
    graph = Graph("attention")
    graph.input("qkv", 1, ["rows", "length", WIDTH])
    attention = GroupQueryAttention(graph, FLOAT32, DECODER, CONTEXT, tensors)
    attention("qkv", "decoder.layers.0.attn", 0)
    graph.output("decoder.layers.0.attn", 1, ["rows", "length", HEADS * DIM])
    write_graph(graph, path)
    return path


def tensors() -> dict[str, Any]:
    return {
        f"decoder.layers.0.attn.{part}_scale": Held(scale.reshape(-1))
        for part, scale in zip("kv", scales(), strict=True)
    }


class Cached:
    """The graph over an int8 cache that past and present share."""

    def __init__(self, path: Path, rows: int) -> None:
        self._session, self._rows = session(path), rows
        self._caches = [np.zeros((rows, KV_HEADS, CONTEXT, DIM), np.int8) for _ in range(2)]

    def __call__(self, qkv: Floats, totals: list[int], row: int = 0) -> Floats:
        binding = self._session.io_binding()
        held = np.ascontiguousarray(qkv, np.float32)
        binding.bind_cpu_input("qkv", held)
        binding.bind_cpu_input("seqlens_k", np.array(totals, np.int32) - 1)
        binding.bind_cpu_input("total_sequence_length", np.array(max(totals), np.int32))
        binding.bind_output("decoder.layers.0.attn")
        for part, cache in zip(("key", "value"), self._caches, strict=True):
            shape, address = (len(qkv), *cache.shape[1:]), cache[row:].ctypes.data
            binding.bind_input(f"past.0.{part}", "cpu", 0, np.int8, shape, address)
            binding.bind_output(f"present.0.{part}", "cpu", 0, np.int8, shape, address)
        self._session.run_with_iobinding(binding)
        outputs: Floats = binding.copy_outputs_to_cpu()[0]
        return outputs


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return graph_of(tmp_path_factory.mktemp("attention") / "a.onnx", tensors())


@pytest.mark.parametrize("pieces", [[41], [16, 1, 10, 14], [1] * 41, [40, 1]])
def test_a_row_is_attended_to_as_its_rounded_keys_and_values(graph: Path, pieces: list[int]) -> None:
    qkv, cached, at, outputs = projected(41), Cached(graph, 1), 0, []
    for length in pieces:
        outputs.append(cached(qkv[None, at : at + length], [at + length])[0])
        at += length
    np.testing.assert_allclose(np.concatenate(outputs), expected(qkv), rtol=1e-5, atol=1e-5)


def test_rows_of_different_length_decode_each_by_its_own(graph: Path) -> None:
    rows, cached = [projected(length) for length in LENGTHS], Cached(graph, 4)
    for row, qkv in enumerate(rows):
        cached(qkv[None, :-3], [len(qkv) - 3], row)
    for left in (3, 2, 1):
        step = np.stack([qkv[len(qkv) - left] for qkv in rows])[:, None]
        outputs = cached(step, [len(qkv) - left + 1 for qkv in rows])[:, 0]
        wanted = [expected(qkv)[len(qkv) - left] for qkv in rows]
        np.testing.assert_allclose(outputs, wanted, rtol=1e-5, atol=1e-5)


def test_graphs_in_16_bits_have_no_such_cache() -> None:
    with pytest.raises(ConfigError, match="for CPUs"):
        GroupQueryAttention(Graph("decoder"), FLOAT16, DECODER, CONTEXT, tensors())


def test_scales_that_are_none_are_refused(tmp_path: Path) -> None:
    bad = {**tensors(), "decoder.layers.0.attn.v_scale": Held(np.zeros(KV_HEADS * DIM, np.float32))}
    with pytest.raises(CheckpointError, match="v_scale"):
        graph_of(tmp_path / "a.onnx", bad)
