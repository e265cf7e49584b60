"""Peaks that last for moments, leaks that last for ever, and a GPU's memory, which is only ever told for now."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from edgekit.machine.memory import Peak
from edgekit.profile.record import Moment
from edgekit.profile.watch import Watch, _thinned
from edgekit.units import MIB

TOLERANCE = 4 * MIB
# A process like the one that is measured: questions one after another, each with its peak from the kernel.
CHILD = """
import json, sys, time
from pathlib import Path
from edgekit.profile.footprint import _Measured
from edgekit.profile.watch import Watch
from edgekit.machine.memory import memory

MIB, kept = 2**20, []

def good(): bytearray(b"x") * (4 * MIB)

def leaks(): kept.append(bytearray(b"x") * (8 * MIB)); good()

def spikes():
    block = bytearray(b"x") * (64 * MIB)
    time.sleep(0.05)
    del block

with Watch() as watch:
    measured = _Measured([Path("/nowhere")], watch)
    for _ in range(3): measured("warm", good)
    before = memory().own_bytes
    work = [good, good, good, good] if sys.argv[1] == "good" else (
        [leaks] * 4 if sys.argv[1] == "leaks" else [good, good, spikes, good])
    peaks, own = [], []
    for one in work:
        peaks.append(measured("questions", one).host_bytes - before)
        own.append(memory().own_bytes)
print(json.dumps([peaks, [after - first for first, after in zip(own, own[1:])], measured.source]))
"""


def measured(kind: str) -> tuple[list[int], list[int], str]:
    done = subprocess.run([sys.executable, "-c", CHILD, kind], capture_output=True, text=True, check=True)
    peaks, kept, source = json.loads(done.stdout)
    return peaks, kept, source


def test_a_process_that_is_good_has_flat_peaks() -> None:
    peaks, kept, _ = measured("good")
    assert max(peaks) < 4 * MIB + TOLERANCE
    assert max(map(abs, kept)) < TOLERANCE


def test_a_process_that_leaks_shows_it_in_its_peak_and_in_what_each_question_kept() -> None:
    peaks, kept, _ = measured("leaks")
    assert max(peaks) > 4 * 8 * MIB
    assert peaks == sorted(peaks)
    assert all(size == pytest.approx(8 * MIB, abs=TOLERANCE) for size in kept)


def test_a_spike_of_50_ms_is_in_the_peak_though_nothing_is_left_of_it() -> None:
    peaks, kept, _ = measured("spikes")
    assert peaks[2] == pytest.approx(64 * MIB, abs=TOLERANCE)
    assert max(peaks[0], peaks[1], peaks[3]) < 4 * MIB + TOLERANCE
    assert max(kept) < TOLERANCE


def test_a_spike_of_no_time_is_seen_by_the_kernel() -> None:
    with Peak() as peak:
        before = peak.memory.own_bytes
        del_me = bytearray(b"x") * (64 * MIB)
        del del_me
    if peak.source != "kernel":
        pytest.skip("this kernel keeps no mark that can be set back")
    assert peak.memory.own_bytes - before > 60 * MIB


def test_where_the_kernel_s_mark_can_not_be_set_back_a_thread_looks() -> None:
    with Peak(reset=lambda: False) as peak:
        before = peak.memory.own_bytes
        block = bytearray(b"x") * (64 * MIB)
        time.sleep(0.05)
        del block
    assert peak.source == "sampled"
    assert peak.memory.own_bytes - before == pytest.approx(64 * MIB, abs=TOLERANCE)


class Card:
    """A GPU's memory as its library tells it."""

    source = "NVML"

    def __init__(self, own: int | None, total: int) -> None:
        self.own, self.total = own, total

    def process_bytes(self) -> int | None:
        return self.own

    def total_bytes(self) -> int:
        return self.total

    def close(self) -> None: ...


def test_a_gpu_s_peak_is_the_most_that_was_seen_since_it_was_asked() -> None:
    card = Card(100, 1000)
    with Watch(card) as watch:
        card.own = 300
        watch.look()
        card.own = 200
        assert watch.take_device_peak() == 300
        assert watch.take_device_peak() == 200
    assert max(moment.device_bytes for moment in watch.moments) == 300


def test_where_a_process_is_not_told_it_is_what_was_added_to_the_whole() -> None:
    card = Card(None, 1000 * MIB)
    with Watch(card) as watch:
        assert watch.device_bytes() == 0
        card.total = 1500 * MIB
        assert watch.device_bytes() == 500 * MIB


def test_of_shared_memory_what_the_process_took_itself_is_not_counted_twice() -> None:
    card = Card(None, 1000 * MIB)
    with Watch(card, shared=True) as watch:
        block = bytearray(b"x") * (64 * MIB)
        card.total = 1500 * MIB
        assert watch.device_bytes() == pytest.approx(436 * MIB, abs=TOLERANCE)
        del block


def test_a_long_run_has_few_moments_and_keeps_its_peak_and_its_phases() -> None:
    moments = [Moment("a" if at < 50 else "b", float(at), 7 * MIB if at == 77 else MIB, 0) for at in range(101)]
    thin = _thinned(moments)
    assert len(thin) <= 52
    assert max(moment.own_bytes for moment in thin) == 7 * MIB
    assert [moment.seconds for moment in thin] == sorted(moment.seconds for moment in thin)
    assert {moment.phase for moment in thin} == {"a", "b"}
