"""Projectors and selected layers by the words that configs use."""

from __future__ import annotations

from typing import Any

import pytest

from edgekit.checkpoint.dialects.reading import mlp_names, mlp_projector, selected_layer
from edgekit.checkpoint.documents import Fields
from edgekit.errors import CheckpointError
from tests.unit.quantize.fakes import SPEC


@pytest.mark.parametrize(
    ("kind", "widths", "names"),
    [
        ("linear", (72, 96), ["p"]),
        ("mlp1x_gelu", (72, 96), ["p.0"]),
        ("mlp2x_gelu", (72, 96, 96), ["p.0", "p.2"]),
        ("mlp3x_gelu", (72, 96, 96, 96), ["p.0", "p.2", "p.4"]),
    ],
)
def test_a_projector_has_as_many_layers_as_its_kind_says(kind: str, widths: tuple[int, ...], names: list[str]) -> None:
    assert mlp_projector(kind, SPEC.vision, SPEC.decoder, "config.json").widths == widths
    assert mlp_names("p", kind, len(widths) - 1) == names


@pytest.mark.parametrize("kind", ["", "mlp0x_gelu", "mlp2x_relu", "resampler", "mlp2x_gelu_more"])
def test_another_projector_is_refused(kind: str) -> None:
    with pytest.raises(CheckpointError, match="which EdgeKit does not build"):
        mlp_projector(kind, SPEC.vision, SPEC.decoder, "config.json")


@pytest.mark.parametrize(("value", "layer"), [(-2, -2), ([-1], -1), (None, 7)])
def test_one_layer_is_read(value: Any, layer: int) -> None:
    assert selected_layer(Fields({"select": value}, "config.json"), "select", 7) == layer


@pytest.mark.parametrize("value", [[-1, -2], [], [None], ["x"], "x"])
def test_several_layers_are_refused(value: Any) -> None:
    with pytest.raises(CheckpointError, match="'select'"):
        selected_layer(Fields({"select": value}, "config.json"), "select", 7)
