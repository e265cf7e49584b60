"""The reader sees what the reference implementation wrote, believes no damaged file, and lets pages go."""

from __future__ import annotations

import json
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch

from edgekit.checkpoint.safetensors import INDEX, open_file, open_weights, weight_files
from edgekit.errors import CheckpointError, EdgeKitError


def whole(tensor: Any) -> Any:
    return tensor.rows(0, tensor.shape[0])


def write_raw(path: Path, header: Any, data: bytes = b"", length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)
    return path


def entry(dtype: str, shape: list[Any], begin: Any, end: Any) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?"])
def test_reads_what_the_reference_wrote(tmp_path: Path, dtype: str) -> None:
    values = np.random.default_rng(0).integers(0, 2, (5, 3)).astype(dtype)
    save_file({"x": values, "empty": np.zeros((0, 4), dtype)}, tmp_path / "model.safetensors")
    tensors = open_weights(tmp_path)
    assert tensors["x"].dtype == values.dtype
    assert tensors["x"].shape == (5, 3)
    np.testing.assert_array_equal(whole(tensors["x"]), values)
    np.testing.assert_array_equal(tensors["x"].rows(1, 4), values[1:4])
    assert tensors["x"].rows(2, 2).shape == (0, 3)
    assert whole(tensors["empty"]).shape == (0, 4)


def test_reads_bfloat16(tmp_path: Path) -> None:
    values = torch.randn(4, 7).to(torch.bfloat16)
    save_torch({"x": values}, tmp_path / "model.safetensors")
    tensor = open_weights(tmp_path)["x"]
    assert tensor.dtype == ml_dtypes.bfloat16
    np.testing.assert_array_equal(whole(tensor).astype(np.float32), values.float().numpy())


def test_rows_are_views_that_nobody_can_write_to(tmp_path: Path) -> None:
    save_file({"x": np.ones((4, 4), np.float32)}, tmp_path / "model.safetensors")
    rows = open_weights(tmp_path)["x"].rows(0, 2)
    assert not rows.flags.owndata
    assert not rows.flags.writeable


def test_a_released_tensor_leaves_memory_and_can_be_read_again(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((4096, 2048), np.float32)
    save_file({"small": np.ones(3, np.float32), "x": values}, tmp_path / "model.safetensors")
    tensor = open_weights(tmp_path)["x"]
    before = resident()
    total = float(whole(tensor).sum(dtype=np.float64))
    read = resident()
    assert read - before > 0.9 * values.nbytes, "the test must see pages to see them go"
    tensor.release(0, 4096)
    assert resident() - before < 0.1 * values.nbytes
    assert float(whole(tensor).sum(dtype=np.float64)) == total
    tensor.release(0, 0)
    np.testing.assert_array_equal(tensor.rows(7, 9), values[7:9])


def resident() -> int:
    """Bytes of mapped files in memory: other tests' allocations must not matter."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssFile"):
            return int(line.split()[1]) * 1024
    pytest.skip("this system does not say")


def write_shards(folder: Path) -> dict[str, Any]:
    values = {f"t{i}": np.full((3, 2), i, np.float16) for i in range(6)}
    names: dict[str, str] = {}
    for shard in range(3):
        file = f"model-{shard + 1:05d}-of-00003.safetensors"
        part = {name: values[name] for name in list(values)[shard::3]}
        save_file(part, folder / file)
        names |= dict.fromkeys(part, file)
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": names}))
    return values


def test_shards_are_one_set_of_tensors(tmp_path: Path) -> None:
    values = write_shards(tmp_path)
    save_file({"t0": np.zeros(1, np.float32)}, tmp_path / "unlisted.safetensors")
    tensors = open_weights(tmp_path)
    assert tensors.keys() == values.keys()
    for name, value in values.items():
        np.testing.assert_array_equal(whole(tensors[name]), value)
    assert [path.name[:11] for path in weight_files(tmp_path)] == ["model-00001", "model-00002", "model-00003"]


def test_files_without_an_index_are_joined_unless_they_repeat_a_tensor(tmp_path: Path) -> None:
    save_file({"a": np.ones(2, np.float32)}, tmp_path / "first.safetensors")
    save_file({"b": np.ones(2, np.float32)}, tmp_path / "second.safetensors")
    assert set(open_weights(tmp_path)) == {"a", "b"}
    save_file({"a": np.ones(2, np.float32)}, tmp_path / "third.safetensors")
    with pytest.raises(CheckpointError, match="another file"):
        open_weights(tmp_path)


EIGHT = b"\0" * 8
DAMAGED: dict[str, Callable[[Path], Any]] = {
    "header of 9 bytes": lambda p: p.write_bytes(b"\x09\0\0\0\0\0\0\0"),
    "header of 0 bytes in a file of 3": lambda p: p.write_bytes(b"\0\0\0"),
    "header of 0 bytes in a file of 0": lambda p: p.write_bytes(b""),
    f"header of {2**63} bytes": lambda p: write_raw(p, {}, length=2**63),
    "announces a header": lambda p: write_raw(p, b" " * 10, length=200_000_000),
    "not valid JSON": lambda p: write_raw(p, b"{nonsense"),
    "not valid JSON.*recursion|not valid JSON": lambda p: write_raw(p, b'{"a":' + b"[" * 100_000),
    "holds list": lambda p: write_raw(p, b"[]"),
    "no dtype, shape and offsets": lambda p: write_raw(p, {"x": 3}, EIGHT),
    "cut off at": lambda p: write_raw(p, {"x": entry("F32", [4], 0, 16)}, EIGHT),
    "takes 8 bytes, but its shape needs 12": lambda p: write_raw(p, {"x": entry("F32", [3], 0, 8)}, EIGHT),
    "takes -8 bytes": lambda p: write_raw(p, {"x": entry("F32", [2], 8, 0)}, EIGHT),
    "no shape and offsets": lambda p: write_raw(p, {"x": entry("F32", [-2], 0, 8)}, EIGHT),
    "no shape and offsets ": lambda p: write_raw(p, {"x": entry("F32", [True, 2], 0, 8)}, EIGHT),
    " no shape and offsets": lambda p: write_raw(p, {"x": entry("F32", [1] * 9, 0, 4)}, EIGHT),
    "no shape and offsets that": lambda p: write_raw(p, {"x": entry("F32", [2], 0.0, 8)}, EIGHT),
    "'F6_E2M3', which": lambda p: write_raw(p, {"x": entry("F6_E2M3", [8], 0, 8)}, EIGHT),
    "overlap": lambda p: write_raw(p, {"x": entry("F32", [1], 0, 4), "y": entry("F16", [2], 2, 6)}, EIGHT),
}


@pytest.mark.parametrize(("message", "damage"), DAMAGED.items(), ids=range(len(DAMAGED)))
def test_a_damaged_file_is_one_clear_error(tmp_path: Path, message: str, damage: Callable[[Path], Any]) -> None:
    path = tmp_path / "model.safetensors"
    damage(path)
    with pytest.raises(CheckpointError, match=message.strip()) as error:
        open_weights(tmp_path)
    assert str(path) in error.value.message
    assert error.value.hint


@pytest.mark.parametrize("keep", [0, 4, 8, 40, -13, -1])
def test_a_truncated_shard_is_found(tmp_path: Path, keep: int) -> None:
    write_shards(tmp_path)
    shard = tmp_path / "model-00002-of-00003.safetensors"
    shard.write_bytes(shard.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match="model-00002"):
        open_weights(tmp_path)


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    write_shards(tmp_path)
    (tmp_path / "model-00003-of-00003.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"lacks 1 of 3 shards: model-00003-of-00003\.safetensors"):
        open_weights(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "../secret.safetensors",
        "/etc/secret.safetensors",
        "sub/x.safetensors",
        "..",
        "a.bin",
        "",
        ".safetensors",
        "x\0.safetensors",
        "\ud800.safetensors",
        "y" * 300 + ".safetensors",
    ],
)
def test_no_index_reaches_outside_its_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    save_file({"x": np.ones(1, np.float32)}, tmp_path / "secret.safetensors")
    (folder / INDEX).write_text(json.dumps({"weight_map": {"x": name}}))
    with pytest.raises(CheckpointError, match="no safetensors file of its own folder"):
        open_weights(folder)


@pytest.mark.parametrize("index", ["{}", "[]", '{"weight_map": 3}', '{"weight_map": {"x": 3}}', "", "\ufeff{"])
def test_an_index_without_a_map_is_refused(tmp_path: Path, index: str) -> None:
    (tmp_path / INDEX).write_text(index)
    with pytest.raises(CheckpointError, match=r"weight_map|JSON|not an object"):
        open_weights(tmp_path)


def test_a_tensor_that_only_the_index_knows_is_refused(tmp_path: Path) -> None:
    write_shards(tmp_path)
    index = json.loads((tmp_path / INDEX).read_text())
    index["weight_map"]["ghost"] = "model-00001-of-00003.safetensors"
    (tmp_path / INDEX).write_text(json.dumps(index))
    with pytest.raises(CheckpointError, match="'ghost' is not in model-00001"):
        open_weights(tmp_path)


def test_a_folder_without_weights_says_so(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="holds no weights"):
        open_weights(tmp_path)


GOOD = {"a": entry("F32", [2, 2], 0, 16), "b": entry("I8", [3], 16, 19), "__metadata__": {"format": "pt"}}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=200)
@given(data=st.data())
def test_a_mutated_header_raises_nothing_but_our_own_error(data: st.DataObject) -> None:
    header: Any = json.loads(json.dumps(GOOD))
    if data.draw(st.booleans()):
        name, key = data.draw(st.sampled_from("ab")), data.draw(st.sampled_from(["dtype", "shape", "data_offsets"]))
        header[name][key] = data.draw(JSON | st.lists(st.integers(-4, 2**70), max_size=3))
    else:
        header[data.draw(st.sampled_from(["a", "b", "c", "__metadata__"]))] = data.draw(JSON)
    raw = bytearray(json.dumps(header).encode())
    if data.draw(st.booleans()):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    length = data.draw(st.just(len(raw)) | st.integers(0, 2**64 - 1) | st.integers(0, 300))
    with tempfile.TemporaryDirectory() as folder:
        path = write_raw(Path(folder) / "model.safetensors", bytes(raw), b"\0" * 19, length)
        try:
            tensors = open_file(path)
        except EdgeKitError as error:
            assert error.hint
            return
        for tensor in tensors.values():
            if tensor.shape:
                assert whole(tensor).shape == tensor.shape
