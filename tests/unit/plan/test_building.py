"""The peak of making a bundle, by hand, and what building took where it was measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgekit.engines.coefficients import Bytes, Coefficients, Factor, coefficients
from edgekit.engines.kv import arena_shape
from edgekit.plan import plan
from edgekit.plan.building import asking_bytes, build_peaks, largest_matrix, reading_bytes
from edgekit.plan.subject import subject_of
from edgekit.recipe import Precision, recipe
from edgekit.target import target
from edgekit.target.kinds import kind_of
from edgekit.units import GIB, MIB
from tests.unit.plan.models import LLAVA_MED, TINYLLAVA


def table(compiled: float) -> Coefficients:
    """30 MiB and 2 a core to build; 10 MiB and 4 a byte of the largest matrix to compile."""
    return replace(
        coefficients("onnxruntime"),
        build_base=Bytes(30 * MIB, "exact", ""),
        build_core=Bytes(2 * MIB, "exact", ""),
        compile_base=Bytes(10 * MIB, "exact", ""),
        compile_matrix=Factor(4, "exact", ""),
        compiled=Factor(compiled, "exact", ""),
    )


@pytest.mark.parametrize(
    ("compiled", "checking", "build", "compiling"),
    [
        (1.0, 50, 38 + 50, 10 + 4 * 5),  # the check takes more than the compiling
        (1.0, 20, 38 + 30, 10 + 4 * 5),  # and less
        (0.0, 20, 38 + 20, 0),  # an engine without a compiled form
    ],
)
def test_a_build_counts_its_cores_and_the_larger_of_its_two_ends(
    compiled: float, checking: int, build: int, compiling: int
) -> None:
    peaks = build_peaks(4, 5 * MIB, checking * MIB, table(compiled))
    assert (peaks.build_bytes, peaks.cores, peaks.compile_bytes) == (build * MIB, 4, compiling * MIB)


def test_the_reference_reads_a_layer_or_the_head_in_float32() -> None:
    """TinyLlama: Q and O of 2048², K and V of 256 rows, three matrices of the MLP, two norms; and the head."""
    layer = 2 * 2048 * 2048 + 2 * 256 * 2048 + 3 * 2048 * 5632 + 2 * 2048
    assert reading_bytes(TINYLLAVA.spec) == 4 * (layer + 32000 * 2048)


def test_who_asks_has_one_slot_s_arena_on_a_processor() -> None:
    arena = arena_shape(TINYLLAVA.spec.decoder, kind_of("onnxruntime"), "activations", 1, 640, 640)
    assert arena.nbytes == 22 * 2 * 4 * 64 * 640 * 4
    assert asking_bytes(1000, TINYLLAVA.spec, 640) == 1000 + arena.nbytes


@pytest.mark.parametrize(
    ("decoder", "head", "largest"),
    [
        ("fp16", "fp16", 2 * 32000 * 2048),
        ("fp16", "int8", 2 * 32000 * 2048 // 2 + 32000 * 2),  # the head, with a scale a row
        ("fp16", "int4", 2 * 2 * 5632 * 2048),  # gate and up, which lie in the graph as one
        ("int4", "int4", 32000 * 16 * (64 + 2)),  # 16 groups of 128 a row
    ],
)
def test_the_largest_matrix_is_the_head_or_gate_and_up_together(
    decoder: Precision, head: Precision, largest: int
) -> None:
    by = replace(recipe("fp16"), decoder=decoder, lm_head=head)
    assert largest_matrix(subject_of(TINYLLAVA, by).tensors, TINYLLAVA.spec.decoder, by, 2) == largest


def test_what_building_took_is_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the same machine with 2 processors, MiB of all processes together, and of the one that compiles."""
    monkeypatch.setattr("edgekit.plan.planning.cores", lambda: 2)
    cpu, card = replace(target("cpu"), context=2048), target("rtx3080")
    for model, chosen, name, peak, compiling in (
        (TINYLLAVA, cpu, "q4", 1249, 160),
        (TINYLLAVA, cpu, "q8", None, 267),
        (TINYLLAVA, card, "q4", None, 2560),  # by TensorRT-RTX 1.7, as the rest
        (TINYLLAVA, card, "q8", None, 3482),
        (TINYLLAVA, card, "fp16", None, 6451),
        (LLAVA_MED, card, "q4", None, 11776),
    ):
        built = plan(model, chosen, recipe(name)).building
        assert peak is None or built.build_bytes == pytest.approx(peak * MIB, rel=0.1)
        off = 0.1 if chosen is cpu else 0.15
        assert compiling is None or built.compile_bytes == pytest.approx(compiling * MIB, rel=off)


@pytest.mark.parametrize(("weights", "took"), [(400.4e6, 1.5 * GIB), (292.9e6, 1.2 * GIB)])
def test_what_building_towers_took_is_planned_by_their_weights(weights: float, took: float) -> None:
    """SigLIP-so400m and CLIP-L in int8, by TensorRT-RTX 1.7 (docs/tensorrt.md)."""
    table = coefficients("tensorrt")
    planned = table.compile_base.size_bytes + table.compile_matrix.ratio * weights
    assert planned == pytest.approx(took, rel=0.15)
