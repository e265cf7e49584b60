"""What is said of plans that are not as they should be, and that nothing is said of those that are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.checkpoint.spec import ModelSpec
from edgekit.engines.backend import PlanRecord
from edgekit.engines.tensorrt.build.doubts import doubts
from edgekit.units import MIB
from tests.unit.quantize.fakes import SPEC

WEIGHTS = 400 * MIB


def record(size: int, activation_bytes: tuple[int, ...] = (), fused: tuple[int, ...] = ()) -> PlanRecord:
    return PlanRecord(
        bytes=size,
        seconds=1.0,
        peak_bytes=1,
        device_peak_bytes=None,
        weight_bytes=None,
        activation_bytes=activation_bytes,
        fused=fused,
        warnings=(),
    )


def spec(head: int = 128) -> ModelSpec:
    """A tower of 23 layers, a decoder of 32."""
    vision = replace(SPEC.vision, layers=23, hidden=16 * head, heads=16)
    return replace(SPEC, vision=vision, decoder=replace(SPEC.decoder, layers=32, head_dim=head))


def of(name: str, fused: tuple[int, ...], size: int, folder: Path, head: int = 128) -> tuple[str, ...]:
    with (folder / f"{name}.onnx.data").open("wb") as data:
        data.truncate(WEIGHTS)
    return doubts(folder, spec(head), {name: record(size, fused=fused)}, {})


@pytest.mark.parametrize(
    ("name", "fused", "size"),
    [
        ("vision", (23,), WEIGHTS),
        ("decoder", (32, 32), WEIGHTS * 1.06),
        ("decoder", (64,), WEIGHTS),  # TensorRT cut the network
        ("decoder", (), WEIGHTS),  # it doesn't tell
        ("projector", (0,), WEIGHTS),
        ("projector", (0,), WEIGHTS * 1.29),
    ],
)
def test_nothing_is_said_of_a_plan_that_is_as_it_should_be(
    name: str, fused: tuple[int, ...], size: float, tmp_path: Path
) -> None:
    assert of(name, fused, int(size), tmp_path) == ()


@pytest.mark.parametrize(
    ("name", "fused", "said"),
    [
        ("vision", (0,), ["vision.plan: attention is fused in 0 of 23 layers"]),
        ("vision", (22,), ["vision.plan: attention is fused in 22 of 23 layers"]),
        ("decoder", (32, 0), ["decoder.plan, a step of decoding: attention is fused in 0 of 32 layers"]),
        ("decoder", (31, 32), ["decoder.plan, reading a prompt: attention is fused in 31 of 32 layers"]),
        ("decoder", (0, 0), ["decoder.plan, reading a prompt: ", "decoder.plan, a step of decoding: "]),
        ("decoder", (33,), ["decoder.plan: attention is fused in 33 of 64 layers"]),
    ],
)
def test_attention_that_is_not_fused_is_said(
    name: str, fused: tuple[int, ...], said: list[str], tmp_path: Path
) -> None:
    found = of(name, fused, WEIGHTS, tmp_path)
    assert len(found) == len(said)
    assert all(sentence.startswith(start) for sentence, start in zip(found, said, strict=True))
    assert of(name, fused, WEIGHTS, tmp_path, head=32) == ()  # of a toy nothing is certain


def test_weights_that_grew_are_said(tmp_path: Path) -> None:
    (found,) = of("decoder", (32, 32), int(3.6 * WEIGHTS), tmp_path)
    assert found.startswith("decoder.plan takes 1.41 GiB, 3.6 times its graph's weights (400 MiB)")


def test_kernels_weigh_more_than_a_small_graph(tmp_path: Path) -> None:
    (tmp_path / "projector.onnx.data").write_bytes(bytes(1000))
    made = record(8 * MIB, fused=(0,))
    assert doubts(tmp_path, spec(), {"projector": made}, {}) == ()


@pytest.mark.parametrize(
    ("name", "scratch", "planned", "said"),
    [
        ("decoder", (130 * MIB, 17 * MIB), 100 * MIB, ()),  # less than fits in an allocator's blocks
        ("decoder", (17 * MIB, 133 * MIB), 100 * MIB, ("decoder.plan takes 133 MiB of scratch, and 100 MiB was",)),
        ("vision", (500 * MIB,), 300 * MIB, ("vision.plan takes 500 MiB of scratch, and 300 MiB was planned",)),
        ("vision", (20 * MIB,), 0, ()),
        ("projector", (500 * MIB,), None, ()),  # its own is a part of the tower's in a plan
        ("decoder", (), 100 * MIB, ()),  # the builder doesn't tell
    ],
)
def test_scratch_that_was_not_planned_is_said(
    name: str, scratch: tuple[int, ...], planned: int | None, said: tuple[str, ...], tmp_path: Path
) -> None:
    """What TensorRT fuses is not told by every release; what it doesn't lies in its scratch."""
    (tmp_path / f"{name}.onnx.data").write_bytes(bytes(1000))
    made = record(MIB, scratch)
    found = doubts(tmp_path, spec(), {name: made}, {} if planned is None else {f"{name}_activations": planned})
    assert len(found) == len(said)
    assert all(sentence.startswith(start) for sentence, start in zip(found, said, strict=True))
