"""compressed-tensors' schemes by the names that people give them, and which of them are read."""

from __future__ import annotations

from typing import Any

import pytest

from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.prequantized.compressed import read_sizes, scheme_name
from edgekit.checkpoint.prequantized.scales import WHOLE_ROW
from edgekit.errors import CheckpointError


def config(*weights: dict[str, Any], group: dict[str, Any] | None = None, **keys: Any) -> Fields:
    groups = {
        f"group_{at}": {"weights": {"num_bits": 4, "group_size": 128, **each}, **(group or {})}
        for at, each in enumerate(weights or ({},))
    }
    return Fields({"config_groups": groups, **keys}, "config.json")


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        (config(), "W4A16"),
        (config(format="mixed-precision"), "W4A16"),
        (config({"num_bits": 8}), "W8A16 int8"),
        (config({"num_bits": 8, "type": "float"}, group={"input_activations": {"num_bits": 8}}), "W8A8 FP8"),
        (config(group={"input_activations": {"num_bits": 8}}), "W4A8 int4"),
        (config(group={"output_activations": {"num_bits": 8}}), "W4A8 int4"),
        (config({"type": "float"}, format="nvfp4-pack-quantized"), "W4A16 NVFP4"),
        (config(format="marlin-24"), "sparse 2:4 (marlin-24)"),
        (config(sparsity_config={"format": "sparse-24-bitmask"}), "sparse 2:4 (sparse-24-bitmask)"),
        (config(format="naive-quantized"), "W4A16 in the format 'naive-quantized'"),
        (config({}, {"num_bits": 8}), "W8A16 int8"),  # one that is not read is enough
    ],
)
def test_a_scheme_has_its_name(fields: Fields, name: str) -> None:
    assert scheme_name(fields) == name
    if name != "W4A16":
        with pytest.raises(CheckpointError) as error:
            read_sizes(fields)
        assert name in error.value.message


def test_sizes_are_each_group_s_and_rows_are_whole() -> None:
    assert read_sizes(config({}, {"group_size": 32}, {})) == ((128, 32), False)
    assert read_sizes(config({"strategy": "channel", "group_size": None})) == ((WHOLE_ROW,), False)


@pytest.mark.parametrize(("order", "moved"), [("group", True), (True, True), ("weight", False), (None, False)])
def test_inputs_are_reordered_by_groups_alone(order: Any, moved: bool) -> None:
    assert read_sizes(config({"actorder": order}))[1] is moved


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (Fields({}, "config.json"), "config_groups"),
        (config(transform_config={"config_groups": {"r": {}}}), "rotated"),
        (config({"strategy": "tensor"}), "one scale per tensor"),
        (config({"group_size": 24}), "group_size 24"),
    ],
)
def test_what_is_not_read_is_refused(fields: Fields, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        read_sizes(fields)
