"""Logits of any token of a call, against those of the prompt that ends there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest

from edgekit.checkpoint.checkpoint import Weight
from edgekit.checkpoint.shapes import decoder_shapes
from edgekit.checkpoint.spec import DecoderSpec
from edgekit.export.decoder import build_decoder
from edgekit.export.graph import Graph
from edgekit.export.spelling import FLOAT32
from edgekit.export.trt import TrtSpelling
from edgekit.export.write import write_graph
from tests.unit.export.running import session
from tests.unit.quantize.fakes import SPEC, Stored, normal

LLAMA = replace(SPEC.decoder, layers=2)
PHI = replace(LLAMA, kind="phi", norm="layer", gated=False, activation="gelu_tanh", parallel=True, head_bias=True)
PLAIN_MLP = replace(LLAMA, gated=False)
LENGTH, CAPACITY = 5, 8


def written(decoder: DecoderSpec, path: Path) -> Path:
    tensors: dict[str, Weight] = {
        name: Stored(normal(*shape, scale=0.3, seed=seed, dtype=np.dtype(np.float32)))
        for seed, (name, shape) in enumerate(decoder_shapes(decoder))
    }
    graph = Graph("decoder")
    build_decoder(TrtSpelling(graph, tensors, FLOAT32), decoder, 16)
    write_graph(graph, path)
    return path


def feeds(decoder: DecoderSpec, embeds: npt.NDArray[np.float32], logits_at: int) -> dict[str, Any]:
    empty = np.zeros((len(embeds), decoder.kv_heads, CAPACITY, decoder.head_dim), np.float32)
    pasts = {f"past.{layer}.{part}": empty for layer in range(decoder.layers) for part in ("key", "value")}
    lengths = np.zeros(len(embeds), np.int32)
    return {"inputs_embeds": embeds, "lengths": lengths, "logits_at": np.array(logits_at, np.int64), **pasts}


@pytest.mark.parametrize("decoder", [LLAMA, PHI, PLAIN_MLP], ids=["llama", "phi", "plain"])
def test_logits_of_a_token_within_a_call_are_those_of_the_prompt_up_to_it(decoder: DecoderSpec, tmp_path: Path) -> None:
    run = session(written(decoder, tmp_path / "decoder.onnx")).run
    embeds = np.random.default_rng(0).standard_normal((2, LENGTH, decoder.hidden), dtype=np.float32)
    seen = []
    for place in range(LENGTH):
        (within,) = run(["logits"], feeds(decoder, embeds, place))
        (ending,) = run(["logits"], feeds(decoder, embeds[:, : place + 1], place))
        np.testing.assert_allclose(within, ending, atol=1e-4)
        assert within.dtype == np.float32
        seen.append(within)
    assert np.ptp(seen, axis=0).max() > 0.1


@pytest.mark.parametrize("decoder", [LLAMA, PHI], ids=["llama", "phi"])
def test_behind_the_last_attention_one_token_goes_further(decoder: DecoderSpec, tmp_path: Path) -> None:
    path = written(decoder, tmp_path / "decoder.onnx")
    model = onnx.load(str(path), load_external_data=False)
    names = [node.output[0] for node in model.graph.node if node.op_type == "MatMul" and ".attended" not in node.name]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    path.write_bytes(model.SerializeToString())
    embeds = np.zeros((2, LENGTH, decoder.hidden), np.float32)
    outputs = session(path).run(names, feeds(decoder, embeds, 1))
    every = {name for name in names if ".layers.0." in name or ".qkv" in name}
    assert len(every) == len(names) // 2 + 1
    for name, output in zip(names, outputs, strict=True):
        assert output.shape[:-1] == ((2, LENGTH) if name in every else (2,)), name
