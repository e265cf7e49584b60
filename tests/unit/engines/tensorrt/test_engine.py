"""The TensorRT engine on a simulated GPU, its plans run by ONNX Runtime, against transformers.

Tolerances are those of the ``trt`` spelling's own tests: logits in float16 may differ by 1e-2 of their largest.
"""

from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.checkpoint.open import open_checkpoint
from edgekit.engines.base import PartedEngine
from edgekit.errors import EngineError
from edgekit.export import export
from edgekit.export.trt import TrtSpelling
from tests.checkpoints import write_checkpoint
from tests.simulated_tensorrt.device import FakeDevice
from tests.simulated_tensorrt.module import FakeTensorRt
from tests.simulated_tensorrt.plan import plans, write_plans
from tests.unit.engines.tensorrt.case import CONTEXT, SLOTS, Case, closing, make_case, near, read


@pytest.mark.parity
@pytest.mark.parametrize("options", [{}, {"decoder": "phi", "tower": "siglip"}], ids=["llama", "phi"])
@pytest.mark.parametrize("compiles", [True, False], ids=["kernel", "copies"])
def test_rows_of_different_length_go_on_together_as_transformers_does(
    options: dict[str, Any], compiles: bool, case: Case, tmp_path: Path
) -> None:
    case = make_case(tmp_path, **options) if options else case
    device = FakeDevice(compiles=compiles)
    with closing(case.open(device)) as engine:
        told = [case.tokens(length, seed) for seed, length in enumerate((70, 5, 33))]
        for slot, tokens in enumerate(told):
            near(read(engine, slot, tokens), case.expected(engine, tokens))
        for slots in ([2, 0], [1], [0, 1, 2], [2, 1]):
            for slot in slots:
                told[slot].append(7 + slot)
            found = engine.decode([told[slot][-1] for slot in slots], slots)
            for logits, slot in zip(found, slots, strict=True):
                near(logits, case.expected(engine, told[slot]))
        assert (device.launches > 0) == compiles


def test_both_ways_of_writing_leave_the_same_arena(case: Case) -> None:
    arenas = []
    for compiles in (True, False):
        device = FakeDevice(compiles=compiles)
        with closing(case.open(device)) as engine:
            read(engine, 2, case.tokens(90, 1))
            read(engine, 0, case.tokens(4, 2))
            engine.decode([9, 11], [2, 0])
            arena = engine._arena
            device.synchronize()
            arenas.append(device.at(arena.address, arena.shape.nbytes).copy())
    assert arenas[0].any()
    np.testing.assert_array_equal(arenas[0], arenas[1])


@pytest.mark.parity
def test_a_row_that_outgrows_the_bucket_goes_on_and_so_do_the_others(case: Case) -> None:
    with closing(case.open()) as engine:
        long, short = case.tokens(254, 3), case.tokens(6, 4)
        read(engine, 1, long)
        read(engine, 2, short)
        assert engine._arena.bucket == 256
        for token in range(10, 16):
            long.append(token)
            short.append(token + 1)
            found = engine.decode([long[-1], short[-1]], [1, 2])
        assert engine._arena.bucket == 320
        near(found[0], case.expected(engine, long))
        near(found[1], case.expected(engine, short))
        again = case.tokens(3, 5)  # the long one ends, and the arena closes up around what is left
        read(engine, 1, again)
        assert engine._arena.bucket == 256
        short.append(20)
        near(engine.decode([20], [2])[0], case.expected(engine, short))


@pytest.mark.parity
def test_a_prompt_may_begin_again_below_its_length_and_forgets_what_lay_behind(case: Case) -> None:
    with closing(case.open()) as engine:
        first = case.tokens(100, 6)
        read(engine, 0, first)
        other = first[:40] + case.tokens(50, 7)
        near(read(engine, 0, other, start=40), case.expected(engine, other))
        assert engine._arena.lengths[0] == 90


@pytest.mark.parity
def test_a_copied_prefix_goes_on_as_if_it_had_been_read(case: Case) -> None:
    with closing(case.open()) as engine:
        told = case.tokens(50, 8)
        read(engine, 0, told)
        engine.copy(0, 2, 45)
        other = [*told[:45], 9]
        near(engine.decode([9], [2])[0], case.expected(engine, other))
        told.append(12)
        near(engine.decode([12], [0])[0], case.expected(engine, told))


@pytest.mark.parity
def test_the_whole_context_can_be_used(case: Case) -> None:
    with closing(case.open()) as engine:
        told = case.tokens(CONTEXT, 9)
        near(read(engine, 0, told[:-1]), case.expected(engine, told[:-1]))
        near(engine.decode(told[-1:], [0])[0], case.expected(engine, told))


@pytest.mark.parity
def test_images_through_tower_and_projector(case: Case) -> None:
    pixels = np.random.default_rng(0).standard_normal((2, 3, 28, 28), np.float32)
    with closing(case.open()) as engine:
        parted: PartedEngine = engine
        near(parted.encode(pixels), case.tiny.image_features(pixels))
        np.testing.assert_array_equal(engine.project(engine.features(pixels)), engine.encode(pixels))


@settings(max_examples=12)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("read"), st.integers(0, SLOTS - 1), st.sampled_from([1, 60, 130, 256, 257, 300])),
            st.tuples(st.just("copy"), st.integers(0, SLOTS - 1), st.integers(0, SLOTS - 1)),
            st.tuples(st.just("decode"), st.permutations(range(SLOTS)), st.integers(1, SLOTS)),
        ),
        min_size=3,
        max_size=10,
    )
)
def test_whatever_happens_a_slot_answers_as_if_it_were_alone(case: Case, steps: list[tuple[str, Any, Any]]) -> None:
    told: dict[int, list[int]] = {slot: [] for slot in range(SLOTS)}
    with closing(case.open()) as engine:
        for number, (kind, a, b) in enumerate(steps):
            if kind == "read":
                told[a] = case.tokens(b, number)
                read(engine, a, told[a])
            elif kind == "copy" and told[a]:
                engine.copy(a, b, len(told[a]))
                told[b] = list(told[a])
            elif kind == "decode":
                slots = [slot for slot in a[:b] if 0 < len(told[slot]) < CONTEXT]
                for slot in slots:
                    told[slot].append(5 + number)
                if slots:
                    engine.decode([5 + number] * len(slots), slots)
        with closing(case.open(slots=1)) as alone:
            for slot, tokens in told.items():
                if 0 < len(tokens) < CONTEXT:
                    near(engine.decode([6], [slot])[0], read(alone, 0, [*tokens, 6]))


def test_inputs_that_tensorrt_reads_on_the_host_are_given_there(mine: Case) -> None:
    spec, graphs = mine.bundle.manifest.spec, mine.bundle.path / "graphs"
    plan = plans(graphs, spec, SLOTS, CONTEXT)["decoder"]
    replace(plan, on_host=("lengths", "logits_at")).write(mine.plans / "decoder.plan")
    with closing(mine.open()) as engine:
        tokens = mine.tokens(80, 1)
        near(read(engine, 0, tokens), mine.expected(engine, tokens))


def test_one_bad_picture_does_not_spoil_who_comes_next(case: Case) -> None:
    with closing(case.open()) as engine:
        bad = np.full((40, case.bundle.manifest.spec.decoder.hidden), np.nan, np.float16)
        assert np.isnan(engine.prefill(0, bad, 0)).all()
        tokens = case.tokens(5, 1)
        near(read(engine, 0, tokens), case.expected(engine, tokens))
        read(engine, 1, tokens)
        near(engine.decode([7, 7], [0, 1])[1], case.expected(engine, [*tokens, 7]))


def test_closing_gives_everything_back(case: Case) -> None:
    device = FakeDevice()
    module = FakeTensorRt(device)
    engine = case.open(device, module)
    arena = 2 * 2 * (SLOTS + 1) * 2 * CONTEXT * 48 * 2 - 3 * 2 * CONTEXT * 48 * 2  # one spare row of one tensor
    fresh = 2 * 2 * max(engine.chunk, SLOTS) * 2 * 48 * 2  # a whole number of 256 bytes a tensor
    assert engine.kv_bytes == arena + fresh
    read(engine, 0, case.tokens(3, 1))
    engine.close()
    assert not device.memory
    assert not device.pinned
    assert device.closed
    assert module.alive == 0
    assert not module.complaints
    engine.close()  # again is nothing
    gc.collect()


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.8, 0.99])
def test_a_gpu_without_room_is_said_so_and_nothing_is_held(share: float, case: Case) -> None:
    device = FakeDevice()
    with closing(case.open(device)):
        whole = sum(memory.size for memory in device.memory.values())
    small = FakeDevice(room=int(share * whole))
    with pytest.raises(EngineError, match="no room for"):
        case.open(small)
    assert not small.memory
    assert not small.pinned
    assert small.closed


def test_a_gpu_without_room_for_the_weights_is_not_called_a_damaged_plan(mine: Case) -> None:
    plan = plans(mine.bundle.path / "graphs", mine.bundle.manifest.spec, SLOTS, CONTEXT)["decoder"]
    replace(plan, weights=1 << 50).write(mine.plans / "decoder.plan")
    with pytest.raises(EngineError, match=r"no room for .*decoder\.plan") as failure:
        mine.open()
    assert "compile" not in failure.value.hint


@pytest.mark.parametrize("name", ["vision", "projector", "decoder"])
def test_a_plan_that_cannot_be_used_is_named_with_what_to_run(name: str, mine: Case) -> None:
    path, remedy = mine.plans / f"{name}.plan", f"edgekit compile {mine.bundle.path}"
    whole = path.read_bytes()
    for damage, reason in (
        (whole[:40], "magicTag"),
        (whole.replace(b"10.3.0", b"10.9.0"), "Version tag does not match: 10.9.0"),
        (whole.replace(b"sm_86", b"sm_87"), "made for sm_87"),
        (b"", "can't use"),
    ):
        path.write_bytes(damage)
        device = FakeDevice()
        with pytest.raises(EngineError, match=reason) as failure:
            mine.open(device)
        assert str(path) in failure.value.message
        assert remedy in failure.value.hint
        assert device.closed
        assert not device.memory
    path.unlink()
    with pytest.raises(EngineError, match=r"can't be read: No such file") as failure:
        mine.open()
    assert remedy in failure.value.hint


def test_plans_for_less_than_is_asked_are_refused(mine: Case) -> None:
    with pytest.raises(EngineError, match="at most 3 rows of 1 tokens at once, and 4 of 1 are wanted"):
        mine.open(slots=SLOTS + 1)
    spec, graphs = mine.bundle.manifest.spec, mine.bundle.path / "graphs"
    plan = plans(graphs, spec, SLOTS, CONTEXT)["decoder"]
    narrow = {**plan.profiles[0], "inputs_embeds": ((1, 1, spec.decoder.hidden),) * 2 + ((1, 63, spec.decoder.hidden),)}
    replace(plan, profiles=[narrow, plan.profiles[1]]).write(mine.plans / "decoder.plan")
    with pytest.raises(EngineError, match="at most 1 rows of 63 tokens at once, and 1 of 64 are wanted"):
        mine.open()
    write_plans(mine.plans, graphs, spec, SLOTS, CONTEXT - 4)
    with pytest.raises(EngineError, match="contexts of 256 to 316 tokens, and 256 to 320 are wanted"):
        mine.open()


def test_plans_of_other_graphs_are_refused(mine: Case) -> None:
    (mine.plans / "vision.plan").write_bytes((mine.plans / "projector.plan").read_bytes())
    with pytest.raises(EngineError, match="does not fit this bundle: it is of another graph"):
        mine.open()
    other = write_checkpoint(mine.plans / "c", "hf")
    checkpoint = open_checkpoint(other.path)
    export(checkpoint, "float32", CONTEXT, mine.plans, spelling=TrtSpelling)
    write_plans(mine.plans, mine.plans / "graphs", checkpoint.spec, SLOTS, CONTEXT)
    with pytest.raises(EngineError, match="its tensor pixels is not float16"):
        mine.open()


def test_contexts_that_rows_cannot_be_aligned_for_are_refused(mine: Case) -> None:
    with pytest.raises(EngineError, match="can't run a context of 318 tokens") as failure:
        mine.open(context=318)
    assert "multiple of 4" in failure.value.hint


def test_a_cache_in_int8_is_refused(case: Case) -> None:
    manifest = replace(case.bundle.manifest, recipe=replace(case.bundle.manifest.recipe, kv="int8"))
    with pytest.raises(EngineError, match="int8"):
        replace(case, bundle=replace(case.bundle, manifest=manifest)).open()


def test_a_run_that_fails_gives_tensorrts_own_reason(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(case.open()) as engine:
        monkeypatch.setattr("tests.simulated_tensorrt.context.Context._problem", lambda self: "Cuda Runtime (illegal)")
        with pytest.raises(EngineError, match=r"decoder\.plan failed: .*Cuda Runtime \(illegal\)"):
            read(engine, 0, [5, 6])
