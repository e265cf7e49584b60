"""What configs of several architectures have alike."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers.activations import ACT2FN

from edgekit.checkpoint.architectures.common import activation, check_multiple, selected_layers, side
from edgekit.checkpoint.documents import Fields
from edgekit.errors import CheckpointError

OURS = {
    "silu": torch.nn.functional.silu,
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
    "gelu": torch.nn.functional.gelu,
    "gelu_tanh": lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
}


def fields(**values: Any) -> Fields:
    return Fields(values, "config.json")


@pytest.mark.parametrize("name", ["silu", "swish", "quick_gelu", "gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh"])
def test_an_activation_is_the_function_that_transformers_means(name: str) -> None:
    x = torch.linspace(-6, 6, 200)
    torch.testing.assert_close(OURS[activation(fields(act=name), "act", "silu")](x), ACT2FN[name](x), atol=1e-6, rtol=0)


def test_an_activation_that_is_not_known_is_named() -> None:
    assert activation(fields(), "act", "gelu") == "gelu"
    with pytest.raises(CheckpointError, match=r"'act' .* but is .relu"):
        activation(fields(act="relu"), "act", "silu")


@pytest.mark.parametrize(("value", "expected"), [(336, 336), ([336, 336], 336), (None, 224)])
def test_a_side_is_a_number_or_two_equal_ones(value: Any, expected: int) -> None:
    assert side(fields(size=value), "size", 224) == expected


@pytest.mark.parametrize("value", [[336, 224], [336], [0, 0], "336", {"height": 336}])
def test_another_side_is_refused(value: Any) -> None:
    with pytest.raises(CheckpointError, match="'size'"):
        side(fields(size=value), "size", 224)


def test_widths_that_do_not_divide_are_named() -> None:
    check_multiple(fields(), "hidden_size", 96, "heads", 3)
    with pytest.raises(CheckpointError, match=r"hidden_size is 97, which is no multiple of heads \(3\)"):
        check_multiple(fields(), "hidden_size", 97, "heads", 3)


@pytest.mark.parametrize(("select", "kept"), [(-1, 24), (-2, 23), (-24, 1), (1, 1), (24, 24)])
def test_hidden_states_count_from_either_end(select: int, kept: int) -> None:
    """Of depth + 1 hidden states, the first is the embedding's: state s has passed s layers."""
    assert selected_layers(fields(), 24, select) == kept
    assert range(25)[select] == kept


@pytest.mark.parametrize("select", [0, -25, 25, -26])
def test_a_state_behind_no_layer_is_refused(select: int) -> None:
    with pytest.raises(CheckpointError, match=f"layer {select} of a vision tower with 24"):
        selected_layers(fields(), 24, select)
