"""Each word of the ``ort`` spelling against torch or numpy, on ONNX Runtime's CPU provider."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch.nn import functional

from edgekit.checkpoint.checkpoint import Weight
from edgekit.checkpoint.packed import Array, Bits
from edgekit.checkpoint.spec import Activation, DecoderSpec, RopeSpec
from edgekit.errors import CheckpointError
from edgekit.export.graph import Graph
from edgekit.export.ort import OrtSpelling
from edgekit.export.write import write_graph
from edgekit.quantize.tensors import RoundedTensor
from tests.unit.export.running import in_float32_activations, session
from tests.unit.quantize.fakes import Stored, normal

Word = Callable[[OrtSpelling, str], str | tuple[str, ...]]
ATOL = {"float32": 1e-4, "float16": 2e-2}


def run(
    tmp_path: Path,
    word: Word,
    x: Array,
    tensors: Mapping[str, Weight] | None = None,
    *,
    activations: str = "float32",
    exact: bool = False,
) -> list[Array]:
    """Write the graph of one word, run it on ``x`` and return its outputs."""
    graph = Graph("word")
    say = OrtSpelling(graph, tensors or {}, np.dtype(activations))
    result = word(say, say.input("x", ["rows", *x.shape[1:]]))
    for index, output in enumerate([result] if isinstance(result, str) else result):
        say.output(output, f"y{index}", [f"d{index}.{axis}" for axis in range(min(x.ndim, 3))])
    path = tmp_path / "word.onnx"
    write_graph(graph, path)
    if exact:
        in_float32_activations(path)
    outputs: list[Array] = session(path).run(None, {"x": x.astype(activations)})
    return outputs


def packed(name: str, n: int, k: int, bits: Bits, seed: int = 0) -> RoundedTensor:
    return RoundedTensor(name, Stored(normal(n, k, scale=0.1, seed=seed)), bits, 32 if bits == 4 else k)


def random(*shape: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(1).standard_normal(shape, dtype=np.float32)


@pytest.mark.parametrize("activations", ["float32", "float16"])
@pytest.mark.parametrize("k", [48, 72, 256, 300])
@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("bias", [True, False])
def test_packed_linears_of_a_decoder(bits: Bits, k: int, bias: bool, activations: str, tmp_path: Path) -> None:
    tensors: dict[str, Weight] = {"decoder.o.weight": packed("w", 40, k, bits)}
    expected = random(3, k) @ tensors["decoder.o.weight"].packed_rows(0, 40).dequantize().T  # type: ignore[union-attr]
    if bias:
        tensors["decoder.o.bias"] = Stored(normal(40, dtype=np.dtype(np.float32), scale=1.0))
        expected += normal(40, dtype=np.dtype(np.float32), scale=1.0)
    (got,) = run(
        tmp_path, lambda say, x: say.linear(x, "decoder.o"), random(3, k), tensors, activations=activations, exact=True
    )
    np.testing.assert_allclose(got, expected, atol=ATOL[activations])


def test_linears_side_by_side_become_one(tmp_path: Path) -> None:
    tensors: dict[str, Weight] = {}
    for seed, (part, rows) in enumerate({"q": 40, "k": 16, "v": 16}.items()):
        tensors[f"a.{part}.weight"] = packed("w", rows, 64, 4, seed)
        tensors[f"a.{part}.bias"] = Stored(normal(rows, seed=seed))
    alone = [run(tmp_path, lambda say, x, p=part: say.linear(x, f"a.{p}"), random(3, 64), tensors) for part in "qkv"]  # type: ignore[misc]
    (together,) = run(tmp_path, lambda say, x: say.linear(x, "a.qkv", ["a.q", "a.k", "a.v"]), random(3, 64), tensors)
    np.testing.assert_allclose(together, np.concatenate([part[0] for part in alone], axis=1), atol=1e-6)


def test_int8_of_a_tower_rounds_activations_to_the_range_of_the_input(tmp_path: Path) -> None:
    tensors: dict[str, Weight] = {"vision.up.weight": packed("w", 40, 72, 8), "vision.up.bias": Stored(normal(40))}
    x = random(5, 72)
    (got,) = run(tmp_path, lambda say, x: say.linear(x, "vision.up"), x, tensors)
    step = np.float32((x.max() - x.min()) / 255)
    zero = np.round(-x.min() / step)
    rounded = (np.clip(np.round(x / step) + zero, 0, 255) - zero) * step
    weight = packed("w", 40, 72, 8).packed_rows(0, 40).dequantize()
    np.testing.assert_allclose(got, rounded @ weight.T + normal(40).astype(np.float32), atol=1e-4)


@pytest.mark.parametrize("stored", [np.float32, np.float16])
@pytest.mark.parametrize("activations", ["float32", "float16"])
@pytest.mark.parametrize("bias", [True, False])
def test_plain_linears(stored: Any, activations: str, bias: bool, tmp_path: Path) -> None:
    weight = normal(40, 72, dtype=np.dtype(stored), scale=0.1)
    tensors: dict[str, Weight] = {"p.0.weight": Stored(weight)}
    expected = random(3, 72) @ weight.astype(np.float32).T
    if bias:
        tensors["p.0.bias"] = Stored(normal(40, scale=1.0))
        expected += normal(40, scale=1.0)
    (got,) = run(tmp_path, lambda say, x: say.linear(x, "p.0"), random(3, 72), tensors, activations=activations)
    assert got.dtype == activations
    np.testing.assert_allclose(got, expected, atol=ATOL[activations])


NORMS: dict[str, Any] = {
    "rms": lambda x, w, b: functional.rms_norm(x, (48,), w, 1e-5),
    "layer": lambda x, w, b: functional.layer_norm(x, (48,), w, b, 1e-5),
}


@pytest.mark.parametrize("activations", ["float32", "float16"])
@pytest.mark.parametrize("kind", ["rms", "layer"])
def test_norms(kind: Any, activations: str, tmp_path: Path) -> None:
    weight, bias = normal(48, scale=1.0), normal(48, scale=0.5, seed=1)
    tensors: dict[str, Weight] = {"n.weight": Stored(weight), "n.bias": Stored(bias)}
    x = random(2, 5, 48)
    total = torch.tensor(x.astype(activations)).float() * 2
    oracle = [torch.tensor(value.astype(np.float32)) for value in (weight, bias)]
    (alone,) = run(tmp_path, lambda say, x: say.norm(x, "n", kind, 1e-5), 2 * x, tensors, activations=activations)
    both = run(tmp_path, lambda say, x: say.add_norm(x, x, "n", kind, 1e-5), x, tensors, activations=activations)
    expected = NORMS[kind](total, *oracle).numpy()
    np.testing.assert_allclose(alone, expected, atol=ATOL[activations])
    np.testing.assert_allclose(both[0], expected, atol=ATOL[activations])
    np.testing.assert_allclose(both[1], total, atol=1e-6)


def test_a_large_residual_does_not_overflow_float16(tmp_path: Path) -> None:
    x = np.full((1, 2, 48), 1000.0, np.float16)  # its square is beyond float16
    tensors: dict[str, Weight] = {"n.weight": Stored(np.ones(48, np.float16))}
    (got,) = run(tmp_path, lambda say, x: say.norm(x, "n", "rms", 1e-5), x, tensors, activations="float16")
    np.testing.assert_allclose(got, 1, atol=1e-3)


ACTIVATIONS: dict[Activation, Callable[[torch.Tensor], torch.Tensor]] = {
    "silu": functional.silu,
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
    "gelu": functional.gelu,
    "gelu_tanh": lambda x: functional.gelu(x, approximate="tanh"),
}


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_activations(kind: Activation, tmp_path: Path) -> None:
    x = 3 * random(4, 64)
    (got,) = run(tmp_path, lambda say, x: say.activate(x, kind, "act"), x)
    np.testing.assert_allclose(got, ACTIVATIONS[kind](torch.tensor(x)), atol=1e-5)


def test_the_gate_acts_on_the_first_half(tmp_path: Path) -> None:
    x = random(4, 64)
    (got,) = run(tmp_path, lambda say, x: say.gate(x, "silu", 32, "gate"), x)
    np.testing.assert_allclose(got, functional.silu(torch.tensor(x[:, :32])).numpy() * x[:, 32:], atol=1e-6)


@pytest.mark.parametrize("head_dim", [24, 64, 72])
def test_self_attention_of_a_tower(head_dim: int, tmp_path: Path) -> None:
    x = random(2, 33, 3 * 2 * head_dim)
    (got,) = run(tmp_path, lambda say, x: say.self_attention(x, 2, head_dim, "attn"), x)
    q, k, v = torch.tensor(x).reshape(2, 33, 3, 2, head_dim).permute(2, 0, 3, 1, 4)
    expected = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(2, 33, -1)
    np.testing.assert_allclose(got, expected, atol=1e-5)


@pytest.mark.parametrize("size", [28, 30])
def test_patches_leave_out_what_is_no_whole_square(size: int, tmp_path: Path) -> None:
    weight, bias = normal(40, 3, 7, 7, scale=1.0), normal(40, scale=1.0)
    tensors: dict[str, Weight] = {"vision.patch.weight": Stored(weight), "vision.patch.bias": Stored(bias)}
    pixels = random(2, 3, size, size)
    (got,) = run(tmp_path, lambda say, x: say.patches(x, "vision.patch", 40, 7), pixels, tensors)
    oracle = [torch.tensor(value.astype(np.float32)) for value in (weight, bias)]
    expected = functional.conv2d(torch.tensor(pixels), *oracle, stride=7).flatten(2).transpose(1, 2)
    np.testing.assert_allclose(got, expected, atol=1e-3)


def test_heads_that_the_kernel_does_not_take_are_refused() -> None:
    for head_dim, rotary, said in ((24, 24, "attention heads are 24"), (80, 40, "rotary embedding are 40")):
        decoder = DecoderSpec(
            kind="phi",
            hidden=96,
            layers=1,
            heads=2,
            kv_heads=2,
            head_dim=head_dim,
            ff=200,
            vocab=320,
            context=512,
            norm="layer",
            norm_eps=1e-5,
            activation="gelu_tanh",
            gated=False,
            rope=RopeSpec(theta=1e4, dim=rotary),
        )
        with pytest.raises(CheckpointError, match=said):
            OrtSpelling(Graph("decoder"), {}, np.dtype(np.float32)).cached_attention(decoder, 64)
