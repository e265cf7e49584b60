"""A Linear that others packed is read as it is, bit by bit; what can't be kept is refused, or unpacked when asked."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.packed import is_packed
from edgekit.checkpoint.prequantized.fold import fold
from edgekit.checkpoint.prequantized.matrix import UnpackedMatrix
from edgekit.checkpoint.safetensors import open_weights
from edgekit.checkpoint.source import Source
from edgekit.errors import CheckpointError
from tests.prequantized import (
    FORMATS,
    LESS_ONE,
    Array,
    Format,
    Linear,
    edit_tensors,
    quantization_config,
    random_linear,
    stored,
)


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
    weight = matrix(tmp_path, linear, kind)
    assert is_packed(weight)
    assert (weight.shape, weight.bits, weight.group) == ((72, 384), 4, group)
    for start, stop in [(0, 72), (0, 1), (5, 29), (63, 72)]:
        rows = weight.packed_rows(start, stop)
        np.testing.assert_array_equal(rows.codes, packed_codes(linear)[start:stop])
        np.testing.assert_array_equal(rows.scales.view(np.uint16), linear.scales[start:stop].view(np.uint16))
        np.testing.assert_array_equal(rows.dequantize(), linear.weight()[start:stop])


@pytest.mark.parametrize("kind", ["gptq", "gptq_v2"])
@pytest.mark.parametrize("asymmetric", [False, True])
def test_inputs_that_are_no_multiple_of_a_group(tmp_path: Path, kind: Format, asymmetric: bool) -> None:
    linear = random_linear(16, 200, 128, symmetric=not asymmetric)
    weight = matrix(tmp_path, linear, kind, asymmetric)
    if asymmetric:
        np.testing.assert_array_equal(weight.rows(3, 16), linear.weight()[3:16])
    else:
        np.testing.assert_array_equal(weight.packed_rows(3, 16).codes, packed_codes(linear)[3:16])


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
    weight = matrix(tmp_path, linear, kind, requantize=True)
    assert isinstance(weight, UnpackedMatrix)
    assert (weight.shape, weight.dtype.name) == ((72, 256), "float32")
    assert weight.rows(8, 8).shape == (0, 256)
    for start, stop in [(0, 72), (5, 19), (64, 72)]:
        np.testing.assert_array_equal(weight.rows(start, stop), linear.weight()[start:stop])
        weight.release(start, stop)


@pytest.mark.parametrize("key", ["checkpoint_format", "format"])
def test_zero_points_of_the_second_format_are_not_one_off(tmp_path: Path, key: str) -> None:
    """By GPTQModel, either key says so; taken for the first format, every weight would be a scale off."""
    linear = random_linear(24, 256, 64, symmetric=False)
    source = folder(tmp_path, linear, "gptq_v2", **{"checkpoint_format": None, key: "gptq_v2"})
    weight: Any = fold(source, True)[0].tensors["x.weight"]
    np.testing.assert_array_equal(weight.rows(0, 24), linear.weight())


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
        weight = matrix(Path(name), linear, kind, requantize=True)
        values = weight.packed_rows(start, stop).dequantize() if is_packed(weight) else weight.rows(start, stop)
    assert symmetric == is_packed(weight) or (linear.zeros == 8).all()
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
    source = folder(tmp_path, random_linear(24, 256, 64), kind)
    edit_tensors(tmp_path, change)
    with pytest.raises(CheckpointError, match=message) as caught:
        fold(Source(tmp_path, source.config, open_weights(tmp_path)), True)
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
        ("gptq", {"checkpoint_format": None, "format": "gptq_p"}, "GPTQ weights in the format 'gptq_p'"),
        ("gptq", {"format": "gptq_v2"}, r"'checkpoint_format' in .* should be what 'format' says, 'gptq_v2'"),
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
    source = folder(tmp_path, random_linear(24, 256, 64), "gptq")
    with pytest.raises(CheckpointError, match="no quantization_config"):
        fold(Source(tmp_path, Fields({}, "config.json"), source.tensors), False)
    nested = {"text_config": source.config.values}
    assert is_packed(fold(Source(tmp_path, Fields(nested, "c"), source.tensors), False)[0].tensors["x.weight"])


def test_order_is_believed_from_g_idx_and_the_config_where_there_is_none(tmp_path: Path) -> None:
    linear = random_linear(24, 256, 64)
    assert is_packed(fold(folder(tmp_path, linear, "gptq", desc_act=True), False)[0].tensors["x.weight"])
    for order in (False, True):
        source = folder(tmp_path, linear, "gptq", desc_act=order)
        edit_tensors(tmp_path, without("x.g_idx"))
        source = Source(tmp_path, source.config, open_weights(tmp_path))
        if order:
            with pytest.raises(CheckpointError, match="act-order"):
                fold(source, True)
        else:
            assert is_packed(fold(source, False)[0].tensors["x.weight"])
