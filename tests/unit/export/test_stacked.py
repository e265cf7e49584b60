"""Attention in standard operators against torch's, and over a cache against all tokens read at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from onnx import TensorProto, helper
from torch.nn import functional

from edgekit.checkpoint.spec import RopeSpec
from edgekit.export.graph import Graph
from edgekit.export.rope import tables
from edgekit.export.spelling import FLOAT16, FLOAT32, Dtype
from edgekit.export.stacked import StackedAttention, attend
from edgekit.export.write import write_graph
from tests.unit.export.running import session
from tests.unit.quantize.fakes import SPEC

Floats = npt.NDArray[np.float32]
HEADS, KV_HEADS, DIM, TURNED, CONTEXT = 6, 2, 16, 8, 12
DECODER = replace(
    SPEC.decoder,
    hidden=40,
    heads=HEADS,
    kv_heads=KV_HEADS,
    head_dim=DIM,
    context=CONTEXT,
    rope=RopeSpec(theta=100.0, dim=TURNED),
)
WIDTH = (HEADS + 2 * KV_HEADS) * DIM


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize(("dtype", "tolerance"), [(FLOAT32, 1e-5), (FLOAT16, 4e-3)])
def test_attending_is_torch_s_and_scores_may_be_beyond_float16(
    dtype: Dtype, tolerance: float, masked: bool, tmp_path: Path
) -> None:
    """Of queries and keys of 64 · 60² the product is 230,400, and its scaled form fits."""
    graph, code = Graph("attend"), int(helper.np_dtype_to_tensor_dtype(dtype))
    names = [graph.input(name, code, ["rows", "heads", "length", 64]) for name in ("q", "k", "v")]
    names.append(graph.input("mask", code, ["length", "length"]) if masked else "")
    y = attend(graph, names[0], names[1], names[2], names[3], 64, dtype, "y")
    graph.output(y, code, ["rows", "heads", "length", 64])
    write_graph(graph, tmp_path / "attend.onnx")
    rng = np.random.default_rng(0)
    q, k, v = (rng.standard_normal((2, 3, 5, 64)).astype(dtype) for _ in range(3))
    q[0, 0], k[0, 0] = 60, 60
    mask = np.triu(np.full((5, 5), -6e4), 1).astype(dtype)
    feeds = {"q": q, "k": k, "v": v, **({"mask": mask} if masked else {})}
    (attended,) = session(tmp_path / "attend.onnx").run(None, feeds)
    wide_q, wide_k, wide_v = (torch.tensor(x.astype(np.float32)) for x in (q, k, v))
    expected = functional.scaled_dot_product_attention(wide_q, wide_k, wide_v, is_causal=masked)
    np.testing.assert_allclose(attended.astype(np.float32), expected, atol=tolerance)


def turned(x: torch.Tensor) -> torch.Tensor:
    """Rotary embedding of ``[heads, length, dim]`` as transformers writes it: the first channels, half against half."""
    cos, sin = (torch.tensor(table[: x.shape[1]]).repeat(1, 2) for table in tables(DECODER.rope, CONTEXT))
    part, rest = x[..., :TURNED], x[..., TURNED:]
    half = torch.cat([-part[..., TURNED // 2 :], part[..., : TURNED // 2]], -1)
    return torch.cat([part * cos + half * sin, rest], -1)


def at_once(qkv: Floats) -> tuple[Floats, Floats, Floats]:
    """Of one row ``[length, WIDTH]``, all of it read together: what comes out, and its keys and values."""
    heads = torch.tensor(qkv).reshape(len(qkv), -1, DIM).transpose(0, 1)
    query, key, value = heads.split([HEADS, KV_HEADS, KV_HEADS])
    query, key = turned(query), turned(key)
    out = functional.scaled_dot_product_attention(query, key, value, is_causal=True, enable_gqa=True)
    return out.transpose(0, 1).reshape(len(qkv), -1).numpy(), key.numpy(), value.numpy()


@pytest.mark.parametrize("lengths", [(3, 0), (0, 0), (7, 4)])
def test_rows_go_on_behind_their_own_tokens_whatever_lies_there(lengths: tuple[int, int], tmp_path: Path) -> None:
    graph = Graph("attention")
    graph.input("inputs_embeds", TensorProto.FLOAT, ["rows", "length", 40])
    qkv = graph.input("qkv", TensorProto.FLOAT, ["rows", "length", WIDTH])
    y = StackedAttention(graph, FLOAT32, DECODER, CONTEXT)(qkv, "decoder.layers.0.attn", 0)
    graph.output(y, TensorProto.FLOAT, ["rows", "length", HEADS * DIM])
    write_graph(graph, tmp_path / "attention.onnx")
    new = 4
    rows = [np.random.default_rng(r).standard_normal((n + new, WIDTH)).astype("f4") for r, n in enumerate(lengths)]
    pasts = [np.full((2, KV_HEADS, 8, DIM), 50, np.float32) for _ in ("key", "value")]
    for row, length in enumerate(lengths):
        for past, kept in zip(pasts, at_once(rows[row])[1:], strict=True):
            past[row, :, :length] = kept[:, :length]
    feeds = {"qkv": np.stack([row[-new:] for row in rows]), "inputs_embeds": np.zeros((2, new, 40), np.float32)}
    feeds |= {"past.0.key": pasts[0], "past.0.value": pasts[1], "lengths": np.array(lengths, np.int32)}
    outputs = session(tmp_path / "attention.onnx").run([y, "present.0.key", "present.0.value"], feeds)
    for row, length in enumerate(lengths):
        out, key, value = at_once(rows[row])
        np.testing.assert_allclose(outputs[0][row], out[length:], atol=1e-5)
        np.testing.assert_allclose(outputs[1][row], key[:, length:], atol=1e-5)
        np.testing.assert_array_equal(outputs[2][row], value[:, length:])
