"""Whether there is room beside the service: by what was measured here, and what is free."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.bundle import Bundle
from edgekit.deploy import beside
from edgekit.deploy.beside import SERVING_BYTES, SPARE_BYTES, Bytes, free_here, lacking, taken
from edgekit.errors import EngineError
from edgekit.machine.detect import Machine
from edgekit.machine.gpus import Gpu
from edgekit.machine.host import Host
from edgekit.machine.programs import Reply
from edgekit.profile.record import Profile, SideMemory
from edgekit.target import Target, target
from edgekit.units import GIB
from tests.releases import small_bundle
from tests.unit.profile.made import profile


def bundle_for(folder: Path, name: str) -> Bundle:
    bundle = small_bundle(folder, {"tokenizer.json": b"{}"})
    return replace(bundle, manifest=replace(bundle.manifest, target=target(name)))


def measured(bundle: Bundle, *sides: tuple[str, int]) -> Profile:
    made = profile()
    memory = replace(
        made.memory, library_bytes=7, sides=tuple(SideMemory(name, 1, size, 1, "kernel") for name, size in sides)
    )
    return replace(made, memory=memory, bundle=replace(made.bundle, digest=bundle.digest))


def test_room_is_for_what_it_takes_and_some_to_spare() -> None:
    assert lacking(Bytes(GIB), Bytes(GIB + SPARE_BYTES)) == ""
    assert "1.50 GiB" in lacking(Bytes(GIB), Bytes(GIB + SPARE_BYTES - 1))
    assert lacking(Bytes(8 * GIB), Bytes(10 * GIB)) == ""
    assert "of memory are free" in lacking(Bytes(8 * GIB), Bytes(10 * GIB - 1)), "a quarter more"
    assert lacking(Bytes(GIB, 4 * GIB), Bytes(8 * GIB, 5 * GIB)) == ""
    assert "of GPU memory are free" in lacking(Bytes(GIB, 4 * GIB), Bytes(8 * GIB, 5 * GIB - 1))


def test_what_the_service_wants_free_stays_free_of_the_host_s_memory() -> None:
    floor_bytes = GIB
    assert lacking(Bytes(GIB, 1), Bytes(2 * GIB + SPARE_BYTES, 1 + SPARE_BYTES), floor_bytes) == ""
    assert "2.50 GiB" in lacking(Bytes(GIB), Bytes(2 * GIB + SPARE_BYTES - 1), floor_bytes)
    assert lacking(Bytes(8 * GIB), Bytes(10 * GIB), floor_bytes) == "", "a quarter is more than both"


def test_what_is_not_told_is_no_room() -> None:
    assert lacking(Bytes(None), Bytes(GIB)) == "how much memory the check takes was never measured"
    assert lacking(Bytes(1), Bytes(None)) == "how much memory is free is not told"
    assert lacking(Bytes(1, GIB), Bytes(8 * GIB, None)) == "how much GPU memory is free is not told"
    assert lacking(Bytes(1, None), Bytes(8 * GIB, 8 * GIB)) == "how much GPU memory the check takes was never measured"


def test_it_takes_what_was_measured_of_just_this_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cpu, card, orin = (bundle_for(tmp_path / name, name) for name in ("cpu", "rtx3050", "orin"))
    other = replace(measured(cpu, ("memory", 99)), bundle=replace(measured(cpu, ("memory", 99)).bundle, digest="?"))
    for bundle, sides, expected in (
        (cpu, [("memory", 100)], Bytes(107)),
        (orin, [("memory", 100)], Bytes(107)),
        (card, [("device", 100), ("host", 30)], Bytes(37, 100)),
        (card, [("device", 100)], Bytes(SERVING_BYTES + 7, 100)),
    ):
        kept = [other, measured(bundle, *sides)]
        monkeypatch.setattr(beside, "profiles", lambda path, kept=kept: kept)
        assert taken(bundle) == expected


def test_without_a_measurement_it_takes_the_budget(tmp_path: Path) -> None:
    for name in ("cpu", "rtx3050", "orin"):
        bundle, budget = bundle_for(tmp_path / name, name), target(name).budget
        most = budget.memory_bytes or budget.dynamic_bytes
        assert taken(bundle) == (Bytes(SERVING_BYTES, most) if name == "rtx3050" else Bytes(most))


def test_what_is_free_on_this_machine() -> None:
    free = free_here(target("cpu"), Host())
    assert free.host is not None
    assert free.host > 0
    assert free.gpu == 0, "a processor needs none"


def test_of_several_gpus_the_one_counts_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one may have more to give, and is of no use."""
    answers = Gpu("NVIDIA GeForce RTX 3050", "8.6", 6 * GIB, uuid="GPU-answers")
    told = Reply(0, "20000, GPU-other\n1024, GPU-answers\n")
    host = Host(runner=lambda command, seconds, environment: told)
    for gpu, expected in ((answers, GIB), (None, None)):
        monkeypatch.setattr(beside, "gpu_for", lambda target, here, gpu=gpu: gpu)
        assert free_here(target("rtx3050"), host).gpu == expected

    def untold(target: Target, here: Machine) -> Gpu | None:
        raise EngineError("it does not tell", "")

    monkeypatch.setattr(beside, "gpu_for", untold)
    assert free_here(target("rtx3050"), host).gpu is None
