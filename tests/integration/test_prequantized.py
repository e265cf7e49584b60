"""A checkpoint that another tool packed goes the whole way: its own codes and scales lie in the bundle."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from edgekit.bundle import open_bundle
from edgekit.checkpoint.open import open_checkpoint
from edgekit.cli.main import main
from edgekit.quantize import quantize
from edgekit.recipe import recipe
from tests.prequantized import TEXT, Array, Format, Written, edit_config, edit_tensors, write_prequantized
from tests.unit.export.running import exported, in_float32_activations

ATTENTION = [f"self_attn.{letter}_proj" for letter in "qkv"]
LINEARS = {
    "attn.qkv": ATTENTION,
    "attn.o": ["self_attn.o_proj"],
    "mlp.gate_up": ["mlp.gate_proj", "mlp.up_proj"],
    "mlp.down": ["mlp.down_proj"],
}


def initializers(graph: Path) -> Mapping[str, Array]:
    return {
        tensor.name: numpy_helper.to_array(tensor, str(graph.parent))
        for tensor in onnx.load(str(graph)).graph.initializer
    }


def weights(graph: Path, group: int) -> dict[tuple[int, int], list[Array]]:
    """Every int4 matrix of a decoder's graph by its shape, as (code - 8) · scale."""
    values = initializers(graph)
    matrices: dict[tuple[int, int], list[Array]] = {}
    for node in onnx.load(str(graph), load_external_data=False).graph.node:
        attributes = {entry.name: entry.i for entry in node.attribute}
        if node.op_type == "MatMulNBits" and attributes["bits"] == 4:
            assert attributes["block_size"] == group
            codes, scales = values[node.input[1]], values[node.input[2]].astype(np.float32)
            n, k = attributes["N"], attributes["K"]
            nibbles = np.stack([codes & 15, codes >> 4], axis=-1).reshape(n, -1, group).astype(np.float32)
            matrices.setdefault((n, k), []).append(((nibbles - 8) * scales.reshape(n, -1, 1)).reshape(n, -1)[:, :k])
    return matrices


def own_recipe(path: Path, group: int) -> Path:
    file = path / "own.toml"
    file.write_text(
        f'name = "own"\ntitle = "Own"\nvision = "int8"\nprojector = "int8"\nembedding = "int8"\n'
        f'decoder = "int4"\nlm_head = "int4"\ngroup = {group}\n'
    )
    return file


@pytest.mark.parametrize(
    ("kind", "group"),
    [("gptq", 128), ("gptq_v2", 64), ("awq", 64), ("auto-round", 128), ("compressed-tensors", 128)],
)
def test_a_bundle_holds_the_checkpoints_own_weights(tmp_path: Path, kind: Format, group: int) -> None:
    written = write_prequantized(tmp_path / "model", kind, group)
    chosen = "q4" if group == 128 else str(own_recipe(tmp_path, group))
    out = tmp_path / "bundle"
    assert main(["build", str(written.path), "--target", "cpu", "--recipe", chosen, "--out", str(out)]) == 0
    matrices = [matrix for alike in weights(out / "graphs" / "decoder.onnx", group).values() for matrix in alike]
    for layer in range(2):
        for parts in LINEARS.values():
            expected = np.concatenate([written.linears[f"model.layers.{layer}.{part}"].weight() for part in parts])
            assert any(np.array_equal(matrix, expected) for matrix in matrices), (layer, parts)
    assert len(matrices) == 2 * len(LINEARS) + 1, "and the head, rounded by the recipe"


def test_what_compressed_tensors_packed_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In groups of 256, which no recipe has: a scale for two of EdgeKit's groups."""
    written = write_prequantized(tmp_path / "model", "compressed-tensors", 256, text=TEXT | {"intermediate_size": 512})
    out = tmp_path / "bundle"
    assert main(["build", str(written.path), "--target", "cpu", "--out", str(out)]) == 0
    capsys.readouterr()
    assert main(["ask", str(out), "Is the heart enlarged?", "--max-tokens", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tokens"] in (1, 2, 3)
    matrices = [matrix for alike in weights(out / "graphs" / "decoder.onnx", 128).values() for matrix in alike]
    expected = written.linears["model.layers.1.mlp.down_proj"].weight()
    assert any(np.array_equal(matrix, expected) for matrix in matrices)


@pytest.mark.parity
def test_its_decoder_computes_what_the_plain_weights_do(tmp_path: Path) -> None:
    """The same numbers as a checkpoint in float32 and as one that was packed: logits alike to float32's rounding."""
    written = write_prequantized(tmp_path / "model", "awq")
    plain = unpacked(written, tmp_path / "plain")
    own = recipe("q4")
    wide = {"vision": "fp32", "projector": "fp32", "embedding": "fp32", "lm_head": "fp32", "decoder": "int4"}
    packed = exported(quantize(open_checkpoint(written.path), type(own)(**vars(own) | wide)), tmp_path / "a")
    in_float32_activations(packed.graph("decoder"))
    wide["decoder"] = "fp32"
    exact = exported(quantize(open_checkpoint(plain), type(own)(**vars(own) | wide)), tmp_path / "b")
    embeds = np.random.default_rng(0).standard_normal((1, 9, 256)).astype(np.float32)
    np.testing.assert_allclose(packed.decoder()(embeds), exact.decoder()(embeds), atol=1e-4)


def unpacked(written: Written, path: Path) -> Path:
    """The checkpoint with ordinary float32 weights in place of packed ones."""
    path.mkdir()
    for file in written.path.iterdir():
        (path / file.name).write_bytes(file.read_bytes())

    def unpack(tensors: dict[str, Array]) -> None:
        for name in [name for name in tensors if name.endswith((".qweight", ".qzeros", ".scales", ".g_idx"))]:
            del tensors[name]
        tensors.update({f"{stem}.weight": linear.weight() for stem, linear in written.linears.items()})

    edit_tensors(path, unpack)
    edit_config(path, lambda config: config.pop("quantization_config"))
    return path


def test_an_asymmetric_checkpoint_is_built_when_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = write_prequantized(tmp_path / "model", "awq", asymmetric=lambda stem: "layers.1.mlp" in stem)
    arguments = ["build", str(written.path), "--target", "cpu", "--out", str(tmp_path / "bundle")]
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert "model.layers.1.mlp" in said
    assert "--requantize" in said
    assert not (tmp_path / "bundle").exists()
    assert main([*arguments, "--requantize"]) == 0
    assert "Note: 3 of 14 int4 matrices are not symmetric" in capsys.readouterr().err
    assert "not symmetric" in open_bundle(tmp_path / "bundle").manifest.spec.notes[-1]
    matrices = weights(tmp_path / "bundle" / "graphs" / "decoder.onnx", 128)
    kept = written.linears["model.layers.0.mlp.down_proj"].weight()
    anew = written.linears["model.layers.1.mlp.down_proj"]
    downs = matrices[(256, 384)]
    assert any(np.array_equal(down, kept) for down in downs)
    error = min(float(np.abs(down - anew.weight()).max()) for down in downs)
    # -15…15 of the old scale at most, in codes of -8…7: a new scale is at most 15/7 of the old one.
    assert 0 < error <= float(anew.scales.max()) * 15 / 7 / 2 * 1.01


def test_quantize_writes_what_was_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = write_prequantized(tmp_path / "model", "gptq", asymmetric=lambda stem: stem.endswith("0.mlp.up_proj"))
    assert main(["quantize", str(written.path), "--out", str(tmp_path / "small")]) == 1
    assert "model.layers.0.mlp.up_proj.weight" in capsys.readouterr().err
    assert main(["quantize", str(written.path), "--requantize", "--out", str(tmp_path / "small")]) == 0
    assert "Note: 1 of 14" in capsys.readouterr().err
    down: Any = open_checkpoint(tmp_path / "small").tensors["decoder.layers.1.mlp.down.weight"]
    expected = written.linears["model.layers.1.mlp.down_proj"].weight()
    np.testing.assert_array_equal(down.packed_rows(0, 256).dequantize(), expected)


@pytest.mark.parametrize(("kind", "symmetric"), [("compressed-tensors", True), ("awq", False)])
def test_inspect_and_plan_look_at_both_kinds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: Format, symmetric: bool
) -> None:
    path = write_prequantized(tmp_path / "model", kind, asymmetric=lambda stem: not symmetric).path
    assert main(["inspect", str(path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert next(part for part in document["parts"] if part["name"] == "decoder")["dtypes"] == [
        "float16",
        "int4" if symmetric else "int4, asymmetric",
    ]
    assert ["not symmetric" in note for note in document["notes"]] == [True] * (not symmetric)
    assert main(["plan", str(path), "--json"]) == 0
    planned = capsys.readouterr()
    assert ("not symmetric" in planned.err) != symmetric
    assert json.loads(planned.out)["fits"]
    assert main(["plan", str(path), "--all", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["plans"]["cpu"]) >= {"q4"}


def harm_order(path: Path) -> None:
    def reverse(tensors: dict[str, Array]) -> None:
        name = "model.layers.1.mlp.up_proj.g_idx"
        tensors[name] = tensors[name][::-1]

    edit_tensors(path, reverse)


def cut(path: Path) -> None:
    data = (path / "model.safetensors").read_bytes()
    (path / "model.safetensors").write_bytes(data[: len(data) // 2])


def pack_by_bitsandbytes(path: Path) -> None:
    """Names and dtypes as bitsandbytes 0.50.2 saves them."""

    def pack(tensors: dict[str, Array]) -> None:
        for name in [name for name in tensors if name.endswith(".qweight")]:
            stem = name.removesuffix("qweight") + "weight"
            tensors[stem] = tensors.pop(name).view(np.uint8).reshape(-1, 1)
            tensors[f"{stem}.absmax"] = np.ones(4, np.uint8)
            tensors[f"{stem}.quant_state.bitsandbytes__nf4"] = np.ones(78, np.uint8)
        for name in [name for name in tensors if name.endswith((".qzeros", ".scales", ".g_idx"))]:
            del tensors[name]

    edit_tensors(path, pack)
    edit_config(path, lambda config: config.update(quantization_config={"quant_method": "bitsandbytes"}))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (cut, "cut off"),
        (pack_by_bitsandbytes, "bitsandbytes (NF4)"),
        (harm_order, "model.layers.1.mlp.up_proj"),
        (lambda path: edit_config(path, lambda c: c["quantization_config"].update(bits=8)), "8 bits"),
        (lambda path: edit_config(path, lambda c: c["quantization_config"].update(group_size=8)), "group_size 8"),
        (
            lambda path: edit_config(path, lambda c: c["quantization_config"].update(checkpoint_format="marlin")),
            "marlin",
        ),
        (lambda path: edit_config(path, lambda c: c["quantization_config"].update(group_size=64)), "qzeros"),
    ],
)
def test_what_is_not_read_is_one_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], harm: Callable[[Path], None], said: str
) -> None:
    path = write_prequantized(tmp_path / "model", "gptq").path
    harm(path)
    assert main(["build", str(path), "--target", "cpu", "--out", str(tmp_path / "bundle"), "--requantize"]) == 1
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err
    assert "internal error" not in err
    assert len(err.strip().splitlines()) == 2
    assert not (tmp_path / "bundle").exists()


def test_a_group_of_another_size_says_which_recipe_to_take(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_prequantized(tmp_path / "model", "gptq", 64).path
    assert main(["build", str(path), "--target", "cpu", "--out", str(tmp_path / "bundle")]) == 1
    err = capsys.readouterr().err
    assert "int4, group 64" in err
    assert 'decoder = "int4" and group = 64' in err
