"""Checkpoints that others quantized, opened whole: their Linears, what inspect shows of them, what is refused."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.checkpoint.inspect import inspect
from edgekit.checkpoint.open import open_checkpoint
from edgekit.checkpoint.packed import Tensor, is_packed
from edgekit.checkpoint.safetensors import StoredTensor
from edgekit.errors import CheckpointError, EdgeKitError
from edgekit.quantize import quantize
from edgekit.recipe import Recipe
from tests.prequantized import (
    Array,
    Written,
    edit_config,
    edit_tensors,
    quantization_config,
    random_linear,
    stored,
    write_prequantized,
)

DOWN = "model.layers.0.mlp.down_proj"
Q4 = Recipe(name="q", title="Test", vision="fp16", projector="fp16", embedding="int8", decoder="int4", lm_head="int4")


@pytest.fixture(scope="module", params=["gptq", "awq", "auto-round_v2", "compressed-tensors"])
def written(request: pytest.FixtureRequest) -> Iterator[Written]:
    with tempfile.TemporaryDirectory() as name:
        yield write_prequantized(Path(name) / "model", request.param)


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """AWQ as it usually is: half of it asymmetric."""
    return write_prequantized(tmp_path_factory.mktemp("half") / "model", "awq", asymmetric=lambda stem: "mlp" in stem)


@pytest.fixture
def copy(written: Written, tmp_path: Path) -> Path:
    for file in written.path.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


NAMES = {
    "attn.q": "self_attn.q_proj",
    "attn.k": "self_attn.k_proj",
    "attn.v": "self_attn.v_proj",
    "attn.o": "self_attn.o_proj",
    "mlp.gate": "mlp.gate_proj",
    "mlp.up": "mlp.up_proj",
    "mlp.down": "mlp.down_proj",
}


def theirs(name: str) -> str:
    """Our name of a decoder's matrix as the checkpoint stores it."""
    _, _, layer, stem = name.removesuffix(".weight").split(".", 3)
    return f"model.layers.{layer}.{NAMES[stem]}"


def test_a_checkpoint_opens_to_its_linears_and_stays_as_it_is(written: Written) -> None:
    checkpoint = open_checkpoint(written.path)
    kept = {name: weight for name, weight in checkpoint.tensors.items() if is_packed(weight)}
    assert {theirs(name) for name in kept} == written.linears.keys()
    assert checkpoint.spec.notes == ()
    view = quantize(checkpoint, Q4)
    for name, weight in kept.items():
        assert view.tensors[name] is weight
        rows = weight.packed_rows(0, weight.shape[0])
        np.testing.assert_array_equal(rows.dequantize(), written.linears[theirs(name)].weight(), err_msg=name)


def test_opening_reads_no_codes(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[tuple[int, ...]] = []
    rows = StoredTensor.rows

    def noting(self: StoredTensor, start: int, stop: int) -> Array:
        read.append((stop - start, *self.shape[1:]))
        return rows(self, start, stop)

    monkeypatch.setattr(StoredTensor, "rows", noting)
    checkpoint = open_checkpoint(written.path)
    packed = [weight.stored for weight in checkpoint.tensors.values() if hasattr(weight, "stored")]
    codes = min((linear.packed if written.kind == "compressed-tensors" else linear.qweight).shape for linear in packed)
    assert read
    assert max(np.prod(shape) for shape in read) < np.prod(codes)


def test_inspect_shows_what_is_stored(written: Written, half: Written) -> None:
    parts = {part.name: part for part in inspect(open_checkpoint(written.path)).parts}
    assert parts["decoder"].dtypes == ("float16", "int4")
    mixed = {part.name: part for part in inspect(open_checkpoint(half.path, requantize=True)).parts}
    assert mixed["decoder"].dtypes == ("float16", "int4", "int4, asymmetric")
    assert mixed["decoder"].parameters == parts["decoder"].parameters
    assert parts["decoder"].bytes <= mixed["decoder"].bytes < 1.05 * parts["decoder"].bytes


def test_asymmetric_matrices_are_refused_or_quantized_anew(half: Written) -> None:
    with pytest.raises(CheckpointError, match=r"6 of 14 int4 matrices .*model\.layers\.0\.mlp\.\w+_proj\.weight"):
        open_checkpoint(half.path)
    checkpoint = open_checkpoint(half.path, requantize=True)
    assert "6 of 14 int4 matrices are not symmetric" in checkpoint.spec.notes[-1]
    for name, weight in quantize(checkpoint, Q4).tensors.items():
        if name.startswith("decoder.layers.") and is_packed(weight):
            rows, linear = weight.packed_rows(0, weight.shape[0]), half.linears[theirs(name)]
            error = np.abs(rows.dequantize() - linear.weight())
            # Halfway between two codes at most, and float32's own rounding; nothing where it was kept.
            bound = np.repeat(rows.scales.astype(np.float32), 128, axis=1) * (0.5001 if "mlp" in name else 0)
            assert (error <= bound).all()


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        (
            Recipe(
                name="q",
                title="Test",
                vision="fp16",
                projector="fp16",
                embedding="int8",
                decoder="int4",
                lm_head="int4",
                group=64,
            ),
            'decoder = "int4" and group = 128',
        ),
        (
            Recipe(
                name="q",
                title="Test",
                vision="fp16",
                projector="fp16",
                embedding="fp16",
                decoder="fp16",
                lm_head="fp16",
            ),
            'decoder = "int4" and group = 128',
        ),
    ],
)
def test_a_recipe_that_does_not_fit_is_told_which_would(written: Written, recipe: Recipe, says: str) -> None:
    with pytest.raises(CheckpointError, match=r"quantized already \(int4, group 128\)") as caught:
        quantize(open_checkpoint(written.path), recipe)
    assert says in caught.value.hint


def test_a_bias_that_the_model_does_not_have(copy: Path) -> None:
    edit_tensors(copy, lambda tensors: tensors.update({f"{DOWN}.bias": np.zeros(256, np.float16)}))
    assert open_checkpoint(copy).spec.notes == ()
    edit_tensors(copy, lambda tensors: tensors.update({f"{DOWN}.bias": np.ones(256, np.float16)}))
    with pytest.raises(CheckpointError, match=rf"{DOWN}\.bias .* is not zero"):
        open_checkpoint(copy)


def test_a_packed_head_is_a_head(written: Written, copy: Path) -> None:
    """A quantized lm_head has no weight by that name either, which must not make it tied."""

    def pack(tensors: dict[str, Array]) -> None:
        n, k = tensors.pop("lm_head.weight").shape
        head = stored(random_linear(n, k, 128), written.kind)
        tensors.update({f"lm_head.{leaf}": tensor for leaf, tensor in head.items()})

    edit_tensors(copy, pack)
    edit_config(copy, lambda config: config.update(tie_word_embeddings=False))
    head = open_checkpoint(copy).tensors["decoder.lm_head.weight"]
    assert is_packed(head)
    linear = random_linear(head.shape[0], head.shape[1], 128)
    np.testing.assert_array_equal(head.packed_rows(0, head.shape[0]).dequantize(), linear.weight())


def test_a_matrix_of_another_shape_than_the_config_says(copy: Path) -> None:
    edit_config(copy, lambda config: config.update(intermediate_size=256))
    with pytest.raises(CheckpointError, match=r"_proj\.weight.* has the shape .*384"):
        open_checkpoint(copy)


def test_a_config_that_outlived_its_weights(tmp_path: Path, half: Written) -> None:
    """Unpacked by another tool, its config left as it was: plain weights are plain weights."""
    for file in half.path.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())

    def unpack(tensors: dict[str, Array]) -> None:
        for stem, linear in half.linears.items():
            for leaf in ("qweight", "qzeros", "scales"):
                del tensors[f"{stem}.{leaf}"]
            tensors[f"{stem}.weight"] = linear.weight()

    edit_tensors(tmp_path, unpack)
    weight = cast("Tensor", open_checkpoint(tmp_path).tensors["decoder.layers.0.mlp.down.weight"])
    np.testing.assert_array_equal(weight.rows(0, 9), half.linears[DOWN].weight()[:9])


@settings(max_examples=40)
@given(data=st.data())
def test_a_cut_file_or_a_changed_config_raises_nothing_but_our_own_error(half: Written, data: st.DataObject) -> None:
    files = {name: (half.path / name).read_bytes() for name in ("config.json", "model.safetensors")}
    size = len(files["model.safetensors"])
    try:
        if data.draw(st.booleans()):
            (half.path / "model.safetensors").write_bytes(
                files["model.safetensors"][: data.draw(st.integers(0, size - 1))]
            )
            with pytest.raises(CheckpointError):
                open_checkpoint(half.path, requantize=True)
        else:
            key = data.draw(st.sampled_from([*quantization_config("awq", 128), "checkpoint_format", "backend"]))
            junk = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.just([]), st.just({}))
            value = data.draw(junk)
            edit_config(half.path, lambda config: config["quantization_config"].update({key: value}))
            try:
                open_checkpoint(half.path, requantize=True)
            except EdgeKitError as error:
                assert error.hint
    finally:
        for name, content in files.items():
            (half.path / name).write_bytes(content)
