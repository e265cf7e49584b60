"""Which GPU a process computes on, on a machine with several."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from edgekit.machine import gpus
from edgekit.machine.detect import detect
from edgekit.machine.gpus import Gpu, counted_by_slot, matching, shown_alone, untold
from edgekit.machine.nvml import driver_gpus, how_to_tell, several_gpus
from tests.unit.machine.nvml import FakeNvml

SMALL = ("NVIDIA GeForce RTX 3050", (8, 6), 6 * 2**30)
LARGE = ("NVIDIA GeForce RTX 3080 Laptop GPU", (8, 6), 16 * 2**30)
OTHER = ("NVIDIA GeForce RTX 4090", (8, 9), 24 * 2**30)
Cards = Sequence[tuple[str, tuple[int, int], int]]


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (gpus.VISIBLE, "CUDA_DEVICE_ORDER"):
        monkeypatch.setenv(name, "")  # so that it is put back, whatever it was
        monkeypatch.delenv(name)


@pytest.fixture
def several(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, FakeNvml(OTHER, SMALL, LARGE))


def install(monkeypatch: pytest.MonkeyPatch, nvml: FakeNvml) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", nvml)


def alone(compute_capability: str) -> str | None:
    """What ``CUDA_VISIBLE_DEVICES`` is to become for a child; None where it stays."""
    variables = shown_alone(driver_gpus() or (), compute_capability)
    assert variables.keys() <= {gpus.VISIBLE}
    return variables.get(gpus.VISIBLE)


def shown() -> list[str]:
    return [gpu.name for gpu in driver_gpus() or ()]


@pytest.mark.usefixtures("several")
def test_the_largest_of_the_kind_is_the_only_one_that_a_child_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert alone("8.6") == "GPU-2"
    assert len(shown()) == 3  # this process goes on seeing all
    monkeypatch.setenv(gpus.VISIBLE, "GPU-2")  # as in the child
    assert shown() == [LARGE[0]]
    assert alone("8.9") == "GPU-2"


@pytest.mark.usefixtures("several")
def test_without_a_fitting_one_all_stay() -> None:
    assert alone("8.7") is None


def test_a_single_gpu_needs_no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, FakeNvml(SMALL))
    assert alone("8.6") is None


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(
    ("said", "seen", "kept"),
    [
        ("1", [SMALL], "GPU-1"),
        ("1,2", [SMALL, LARGE], "GPU-2"),
        ("0,1", [OTHER, SMALL], "GPU-1"),
        ("GPU-1", [SMALL], "GPU-1"),
        ("1,7,2", [SMALL], "GPU-1"),
        ("0", [OTHER], "GPU-0"),
        ("", [], ""),
        ("-1", [], ""),
        ("MIG-3eb87630", [OTHER, SMALL, LARGE], ""),
    ],
)
def test_it_is_one_of_those_that_the_user_chose(
    said: str, seen: Cards, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(gpus.VISIBLE, said)
    assert shown() == [name for name, _, _ in seen]
    assert (alone("8.6") or "") == kept


@pytest.mark.usefixtures("several")
def test_numbers_are_the_driver_s_even_where_none_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA counts by speed, so a number that stayed would be another card there."""
    monkeypatch.setenv(gpus.VISIBLE, "1,0")
    assert alone("8.7") == "GPU-1,GPU-0"
    monkeypatch.setenv(gpus.VISIBLE, "GPU-1,GPU-0")
    assert shown() == [SMALL[0], OTHER[0]]


def test_an_end_that_fails_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml = FakeNvml(SMALL)

    def shut() -> None:
        raise nvml.NVMLError("Uninitialized")

    monkeypatch.setattr(nvml, "nvmlShutdown", shut)
    install(monkeypatch, nvml)
    assert shown() == [SMALL[0]]


@pytest.mark.usefixtures("several")
def test_numbers_by_speed_are_left_to_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "FASTEST_FIRST")
    monkeypatch.setenv(gpus.VISIBLE, "1")
    assert alone("8.6") is None
    assert len(shown()) == 3
    monkeypatch.setenv(gpus.VISIBLE, "GPU-1")
    assert shown() == [SMALL[0]]


@pytest.mark.usefixtures("several")
def test_what_is_hidden_does_not_come_back_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = tmp_path / "proc/driver/nvidia/gpus/0000:01:00.0/information"
    listed.parent.mkdir(parents=True)
    listed.write_text("Model: \t\t NVIDIA GeForce RTX 3050\n")
    monkeypatch.setenv(gpus.VISIBLE, "")
    assert detect(tmp_path, "x86_64").gpus == ()
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert detect(tmp_path, "x86_64").gpus == ()
    monkeypatch.setenv(gpus.VISIBLE, "-1")
    assert detect(tmp_path, "x86_64").gpus == ()
    monkeypatch.setenv(gpus.VISIBLE, "GPU-1")  # who knows which it is, without the module
    assert detect(tmp_path, "x86_64").gpus == (Gpu("NVIDIA GeForce RTX 3050"),)


def test_one_that_is_lost_hides_no_other_and_keeps_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml = FakeNvml(SMALL, OTHER, LARGE)
    whole = nvml.nvmlDeviceGetMemoryInfo

    def memory(index: int) -> object:
        if index == 1:
            raise nvml.NVMLError("GPU is lost")
        return whole(index)

    monkeypatch.setattr(nvml, "nvmlDeviceGetMemoryInfo", memory)
    install(monkeypatch, nvml)
    assert shown() == [SMALL[0], "NVIDIA GPU 1", LARGE[0]]
    assert untold(driver_gpus() or ()) == Gpu("NVIDIA GPU 1")
    monkeypatch.setenv(gpus.VISIBLE, "2")
    assert shown() == [LARGE[0]]


def test_one_that_shares_the_machine_s_memory_is_known_and_chosen_as_the_user_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(monkeypatch, FakeNvml(("Orin (nvgpu)", (8, 7), 0)))
    assert driver_gpus() == (Gpu("Orin (nvgpu)", "8.7", 0, "580.65"),)
    monkeypatch.setenv(gpus.VISIBLE, "0")
    assert alone("8.7") is None


def test_one_that_tells_its_name_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = Gpu("NVIDIA GeForce RTX 3050")
    assert untold([Gpu("a", "8.9", 1), silent]) == silent
    assert untold([Gpu("a", "8.9", 1)]) is None
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert how_to_tell() == "Run: pip install nvidia-ml-py"
    install(monkeypatch, FakeNvml(driver=False))
    assert "nvidia-smi" in how_to_tell()


def test_of_none_that_fits_none_is_taken() -> None:
    assert matching([Gpu("a", "8.9", 1)], "8.6") is None
    assert matching([], "8.6") is None


@pytest.mark.parametrize(
    ("variables", "order"),
    [
        ({}, {}),
        ({gpus.VISIBLE: "1"}, {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}),
        ({gpus.VISIBLE: "GPU-1,0"}, {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}),
        ({gpus.VISIBLE: "GPU-1"}, {}),
        ({gpus.VISIBLE: "-1"}, {}),
        ({gpus.VISIBLE: "1", "CUDA_DEVICE_ORDER": "FASTEST_FIRST"}, {}),
    ],
)
def test_cuda_counts_as_nvidia_smi_where_the_user_gave_numbers(
    variables: dict[str, str], order: dict[str, str]
) -> None:
    assert counted_by_slot(variables) == order


def test_several_are_counted_whatever_the_user_shows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(gpus.VISIBLE, "0")
    for cards in ((), (SMALL,), (SMALL, LARGE)):
        install(monkeypatch, FakeNvml(*cards))
        assert several_gpus(tmp_path) == (len(cards) > 1)


def test_without_nvml_several_are_those_that_the_kernel_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, FakeNvml(driver=False))
    for count, slot in enumerate(("0000:01:00.0", "0000:02:00.0"), 1):
        file = tmp_path / "proc/driver/nvidia/gpus" / slot / "information"
        file.parent.mkdir(parents=True)
        file.write_text("Model: \t\t NVIDIA GeForce RTX 3050\n")
        assert several_gpus(tmp_path) == (count > 1)
