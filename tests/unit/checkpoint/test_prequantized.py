"""What others packed is read as it is, bit by bit; what can't be kept is refused, or unpacked when asked."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from edgekit.checkpoint import open_checkpoint
from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.inspect import inspect
from edgekit.checkpoint.packed import Tensor, is_packed
from edgekit.checkpoint.prequantized import UnpackedMatrix, fold
from edgekit.checkpoint.safetensors import StoredTensor, open_weights
from edgekit.checkpoint.source import Source
from edgekit.errors import CheckpointError, EdgeKitError
from edgekit.quantize import quantize
from edgekit.recipe import Recipe
from tests.prequantized import (
    FORMATS,
    LESS_ONE,
    Array,
    Format,
    Linear,
    Written,
    edit_config,
    edit_tensors,
    quantization_config,
    random_linear,
    stored,
    write_prequantized,
)

DOWN = "model.layers.0.mlp.down_proj"
Q4 = Recipe("q", "Test", "fp16", "fp16", "int8", "int4", "int4")


def folder(path: Path, linear: Linear, kind: Format, **changes: Any) -> Source:
    """A folder with the single Linear ``x``; ``changes`` are of its quantization_config."""
    save_file({f"x.{leaf}": tensor for leaf, tensor in stored(linear, kind).items()}, path / "model.safetensors")
    config = quantization_config(kind, linear.group) | changes
    return Source(path, Fields({"quantization_config": config}, "config.json"), open_weights(path))


def matrix(path: Path, linear: Linear, kind: Format, requantize: bool = False) -> Any:
    return fold(folder(path, linear, kind), requantize)[0].tensors["x.weight"]


def packed_codes(linear: Linear) -> Array:
    """EdgeKit's own layout: two codes a byte, the earlier one low, rows padded to whole groups with code 8."""
    n, k = linear.codes.shape
    whole = np.full((n, -(-k // linear.group) * linear.group), 8, np.uint8)
    whole[:, :k] = linear.codes
    codes: Array = whole[:, 0::2] | whole[:, 1::2] << 4
    return codes


@pytest.mark.parametrize("group", [32, 64, 128])
@pytest.mark.parametrize("kind", FORMATS)
def test_codes_and_scales_are_kept_bit_by_bit(tmp_path: Path, kind: Format, group: int) -> None:
    linear = random_linear(72, 384, group)
    found = matrix(tmp_path, linear, kind)
    assert is_packed(found)
    assert (found.shape, found.bits, found.group) == ((72, 384), 4, group)
    for start, stop in [(0, 72), (0, 1), (5, 29), (63, 72)]:
        rows = found.packed_rows(start, stop)
        np.testing.assert_array_equal(rows.codes, packed_codes(linear)[start:stop])
        np.testing.assert_array_equal(rows.scales.view(np.uint16), linear.scales[start:stop].view(np.uint16))
        np.testing.assert_array_equal(rows.dequantize(), linear.weight()[start:stop])


@pytest.mark.parametrize("kind", ["gptq", "gptq_v2"])
@pytest.mark.parametrize("asymmetric", [False, True])
def test_inputs_that_are_no_multiple_of_a_group(tmp_path: Path, kind: Format, asymmetric: bool) -> None:
    linear = random_linear(16, 200, 128, symmetric=not asymmetric)
    found = matrix(tmp_path, linear, kind, asymmetric)
    if asymmetric:
        np.testing.assert_array_equal(found.rows(3, 16), linear.weight()[3:16])
    else:
        np.testing.assert_array_equal(found.packed_rows(3, 16).codes, packed_codes(linear)[3:16])


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_of_many_blocks(tmp_path: Path, kind: Format, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgekit.checkpoint.prequantized.columns._BLOCK_BYTES", 1000)
    linear = random_linear(40, 256, 64)
    np.testing.assert_array_equal(matrix(tmp_path, linear, kind).packed_rows(1, 39).dequantize(), linear.weight()[1:39])


@pytest.mark.parametrize("kind", FORMATS)
def test_zeros_are_believed_from_the_tensors_alone(tmp_path: Path, kind: Format) -> None:
    linear = random_linear(24, 256, 64)
    linear.zeros[17, 2] = 9
    with pytest.raises(CheckpointError, match=r"1 of 1 int4 .* not symmetric \(.*x\.weight.* zero points") as caught:
        fold(folder(tmp_path, linear, kind, sym=True, zero_point=False), False)
    assert "--requantize" in caught.value.hint
    symmetric = random_linear(24, 256, 64)
    assert fold(folder(tmp_path, symmetric, kind, sym=False, zero_point=True), False)[1] == ()


@pytest.mark.parametrize("kind", FORMATS)
def test_asymmetric_matrices_are_unpacked_exactly(tmp_path: Path, kind: Format) -> None:
    linear = random_linear(72, 256, 64, symmetric=False)
    if kind not in LESS_ONE:
        linear.zeros[::7, 1] = 0
    linear.scales[3, 0] *= -1
    linear.scales[4, 0] = 0
    found = matrix(tmp_path, linear, kind, requantize=True)
    assert isinstance(found, UnpackedMatrix)
    assert (found.shape, found.dtype.name) == ((72, 256), "float32")
    assert found.rows(8, 8).shape == (0, 256)
    for start, stop in [(0, 72), (5, 19), (64, 72)]:
        np.testing.assert_array_equal(found.rows(start, stop), linear.weight()[start:stop])
        found.release(start, stop)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_negative_scale_is_not_turned_around(tmp_path: Path, kind: Format) -> None:
    linear = random_linear(24, 256, 64)
    linear.scales[5, 1] *= -1
    with pytest.raises(CheckpointError, match="negative scales"):
        matrix(tmp_path, linear, kind)
    np.testing.assert_array_equal(matrix(tmp_path, linear, kind, True).rows(0, 24), linear.weight())


@pytest.mark.parametrize("kind", FORMATS)
def test_a_scale_of_zero_becomes_codes_of_zero(tmp_path: Path, kind: Format) -> None:
    linear = random_linear(24, 256, 64)
    linear.scales[5, 1], linear.scales[6, 3] = 0.0, -0.0
    rows = matrix(tmp_path, linear, kind).packed_rows(0, 24)
    assert (rows.scales > 0).all()
    np.testing.assert_array_equal(rows.dequantize(), linear.weight())


@settings(max_examples=25)
@given(data=st.data())
def test_any_linear_is_read_as_its_reference_says(data: st.DataObject) -> None:
    kind, group = data.draw(st.sampled_from(FORMATS)), data.draw(st.sampled_from([32, 64, 128]))
    n = 8 * data.draw(st.integers(1, 5))
    whole = kind in ("awq", "compressed-tensors")
    k = group * data.draw(st.integers(1, 3)) if whole else 8 * data.draw(st.integers(1, 40))
    symmetric = data.draw(st.booleans())
    linear = random_linear(n, k, group, data.draw(st.integers(0, 9)), symmetric=symmetric)
    start = data.draw(st.integers(0, n - 1))
    stop = data.draw(st.integers(start + 1, n))
    with tempfile.TemporaryDirectory() as name:
        found = matrix(Path(name), linear, kind, requantize=True)
        values = found.packed_rows(start, stop).dequantize() if is_packed(found) else found.rows(start, stop)
    assert symmetric == is_packed(found) or (linear.zeros == 8).all()
    np.testing.assert_array_equal(values, linear.weight()[start:stop])


def without(name: str) -> Callable[[dict[str, Array]], None]:
    return lambda tensors: cast(None, tensors.pop(name))


def put(name: str, change: Callable[[Array], Array]) -> Callable[[dict[str, Array]], None]:
    return lambda tensors: tensors.update({name: change(tensors[name])})


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("gptq", without("x.qzeros"), r"lacks the tensor x\.qzeros"),
        ("awq", without("x.scales"), r"lacks the tensor x\.scales"),
        ("gptq", lambda tensors: tensors.update({"y.qzeros": tensors["x.qzeros"]}), r"without a y\.qweight"),
        ("awq", put("x.qzeros", lambda a: a[:-1]), r"x\.qzeros .* int32 \[3, 3\], .* \[4, 3\]"),
        ("gptq", put("x.scales", lambda a: a[:, :-8]), r"x\.scales .* float16 \[4, 16\], .* \[4, 24\]"),
        ("gptq", put("x.scales", lambda a: a.astype(np.float64)), r"x\.scales .* float64"),
        ("gptq", put("x.qweight", lambda a: a.view(np.int16)), r"x\.qweight .* int16"),
        ("gptq", put("x.qweight", lambda a: a[:-1]), r"x\.g_idx .* \[256\], .* \[248\]"),
        ("awq", put("x.qweight", lambda a: a[:-8]), "248, which AWQ does not make"),
        ("gptq", put("x.qweight", lambda a: a[:, :-1]), "23 × 256, which GPTQ does not make"),
        ("gptq", put("x.qweight", lambda a: a[:0]), r"x\.qweight .* \[0, 24\]"),
        ("gptq", put("x.qweight", lambda a: a.reshape(-1)), r"x\.qweight .* of two axes"),
        ("gptq", put("x.g_idx", lambda a: a[::-1].copy()), "act-order"),
        ("awq", put("x.scales", lambda a: a * np.float16(np.nan)), "NaN or infinity"),
        ("gptq_v2", put("x.scales", lambda a: a * np.float16(np.inf)), "NaN or infinity"),
        ("gptq", lambda tensors: tensors.update({"x.weight": np.ones((24, 256), np.float16)}), "both packed and plain"),
        (
            "awq",
            lambda tensors: tensors.update({"mlp.act.scales": np.ones(9, np.float16)}),
            r"mlp\.act\.scales without",
        ),
    ],
)
def test_tensors_that_do_not_fit_together(
    tmp_path: Path, kind: Format, change: Callable[[dict[str, Array]], None], message: str
) -> None:
    made = folder(tmp_path, random_linear(24, 256, 64), kind)
    edit_tensors(tmp_path, change)
    with pytest.raises(CheckpointError, match=message) as caught:
        fold(Source(tmp_path, made.config, open_weights(tmp_path)), True)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("gptq", {"bits": 8}, "GPTQ weights of 8 bits"),
        ("gptq", {"bits": 3}, "GPTQ weights of 3 bits"),
        ("awq", {"bits": "four"}, "bits"),
        ("gptq", {"group_size": 8}, r"one scale per 8 inputs \(group_size 8\)"),
        ("gptq", {"group_size": 192}, r"one scale per 192 inputs"),
        ("awq", {"group_size": 16}, "one scale per 16 inputs"),
        ("gptq", {"group_size": None}, "group_size"),
        ("gptq", {"checkpoint_format": "marlin"}, "GPTQ weights in the format 'marlin'"),
        ("gptq", {"is_marlin_format": True}, "GPTQ weights in the format 'marlin'"),
        ("awq", {"version": "gemv"}, "AWQ weights in the format 'gemv'"),
        ("awq", {"version": "GEMV_FAST"}, "AWQ weights in the format 'gemv_fast'"),
        ("awq", {"backend": "llm-awq"}, "AWQ weights in the format 'llm-awq'"),
        ("gptq", {"quant_method": "hqq"}, "quant_method"),
        ("gptq", {"quant_method": None}, "quant_method"),
        ("gptq", {"quant_method": ["gptq"]}, "quant_method"),
        ("gptq", {"group_size": 32}, r"x\.qzeros .* \[4, 3\], .* \[8, 3\]"),
    ],
)
def test_schemes_that_are_not_read(tmp_path: Path, kind: Format, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message) as caught:
        fold(folder(tmp_path, random_linear(24, 256, 64), kind, **changes), True)
    assert caught.value.hint


def test_packed_weights_without_a_config(tmp_path: Path) -> None:
    made = folder(tmp_path, random_linear(24, 256, 64), "gptq")
    with pytest.raises(CheckpointError, match="no quantization_config"):
        fold(Source(tmp_path, Fields({}, "config.json"), made.tensors), False)
    nested = {"text_config": made.config.values}
    assert is_packed(fold(Source(tmp_path, Fields(nested, "c"), made.tensors), False)[0].tensors["x.weight"])


def test_order_is_believed_from_g_idx_and_the_config_where_there_is_none(tmp_path: Path) -> None:
    linear = random_linear(24, 256, 64)
    assert is_packed(fold(folder(tmp_path, linear, "gptq", desc_act=True), False)[0].tensors["x.weight"])
    for order in (False, True):
        made = folder(tmp_path, linear, "gptq", desc_act=order)
        edit_tensors(tmp_path, without("x.g_idx"))
        source = Source(tmp_path, made.config, open_weights(tmp_path))
        if order:
            with pytest.raises(CheckpointError, match="act-order"):
                fold(source, True)
        else:
            assert is_packed(fold(source, False)[0].tensors["x.weight"])


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
    codes = min((one.packed if written.kind == "compressed-tensors" else one.qweight).shape for one in packed)
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
        (Recipe("q", "Test", "fp16", "fp16", "int8", "int4", "int4", group=64), 'decoder = "int4" and group = 128'),
        (Recipe("q", "Test", "fp16", "fp16", "fp16", "fp16", "fp16"), 'decoder = "int4" and group = 128'),
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
        made = stored(random_linear(n, k, 128), written.kind)
        tensors.update({f"lm_head.{leaf}": tensor for leaf, tensor in made.items()})

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
