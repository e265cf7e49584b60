"""Footprints in a plan's words: on a CPU, on a card with its host, and where GPU and CPU share one memory."""

from __future__ import annotations

from edgekit.machine.memory import Memory
from edgekit.profile.components import measured_components, side_memories
from edgekit.profile.footprint import Footprint, PeakOf
from edgekit.target import target

# In MB, so that sums are easy: 30 of the process, 5 of tokenizer, 100 of arena, 400 of weights, 10 of the engine.
WEIGHTS = {"decoder": 300, "embedding": 100}
FOUND = Footprint(
    before=Memory(30, 30),
    tokenizer=Memory(35, 30),
    loaded=Memory(145, 290),
    loaded_weights_bytes=400,
    loaded_device_bytes=0,
    loaded_share_bytes=200,
    kv_bytes=100,
    encode=PeakOf(205, 400, 0),
    questions=(PeakOf(210, 400, 0), PeakOf(215, 400, 0)),
    kept_bytes=(150, 160, 170, 180, 190),
    full=PeakOf(195, 400, 0),
    last=PeakOf(225, 400, 0),
    library_bytes=40,
    source="kernel",
    moments=(),
)
ON_CARD = Footprint(
    **{
        **vars(FOUND),
        "loaded": Memory(90, 120),
        "loaded_weights_bytes": 100,
        "loaded_device_bytes": 450,
        "encode": PeakOf(95, 100, 530),
        "questions": (PeakOf(96, 100, 540), PeakOf(97, 100, 560)),
        "full": PeakOf(96, 100, 520),
        "last": PeakOf(99, 100, 580),
    }
)


def test_on_a_cpu_mapped_weights_count_in_full_from_the_start_and_cached_libraries_never() -> None:
    (side,) = side_memories(FOUND, target("cpu"))
    assert (side.name, side.static_bytes) == ("memory", 145 + 400)
    assert side.dynamic_bytes == 225 + 400
    assert side.mean_peak_bytes == round((610 + 615) / 2)
    assert "VmHWM" in side.peak_source


def test_on_a_cpu_each_component_is_what_was_added_by_it() -> None:
    components = measured_components(FOUND, WEIGHTS, target("cpu"))
    assert components["process"] == 30
    assert components["tokenizer"] == 5
    assert components["engine"] == 545 - 30 - 5 - 100 - 400
    assert components["vision_activations"] == 60
    assert components["decoder_activations"] == 50
    parts = ("process", "tokenizer", "engine", "kv_arena", *WEIGHTS)
    assert sum(components[part] for part in parts) == side_memories(FOUND, target("cpu"))[0].static_bytes


def test_a_card_and_its_host_have_a_side_each() -> None:
    device, host = side_memories(ON_CARD, target("rtx3050"))
    assert (device.name, device.static_bytes, device.dynamic_bytes, device.mean_peak_bytes) == ("device", 450, 580, 550)
    assert (host.name, host.static_bytes, host.dynamic_bytes) == ("host", 190, 199)
    components = measured_components(ON_CARD, WEIGHTS, target("rtx3050"))
    assert components["vision_activations"] == 80
    assert components["decoder_activations"] == 70
    assert components["engine"] == 190 + 450 - 30 - 5 - 100 - 400


def test_where_memory_is_shared_both_are_one() -> None:
    (side,) = side_memories(ON_CARD, target("orin"))
    assert (side.name, side.static_bytes, side.dynamic_bytes) == ("memory", 190 + 450, 99 + 100 + 580)
    assert "GPU's part" in side.peak_source


def test_growth_is_what_later_questions_keep() -> None:
    assert FOUND.growth_bytes == 10
    assert Footprint(**{**vars(FOUND), "kept_bytes": (10, 500, 500, 500)}).growth_bytes == 0
