"""Which GPU a process computes on, on a machine with several."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import pytest

from edgekit import gpus
from edgekit.gpus import Gpu, chosen, driver_gpus, fitting, keep_to
from tests.unit.test_detect import FakeNvml

SMALL = ("NVIDIA GeForce RTX 3050", (8, 6), 6 * 2**30)
LARGE = ("NVIDIA GeForce RTX 3080 Laptop GPU", (8, 6), 16 * 2**30)
OTHER = ("NVIDIA GeForce RTX 4090", (8, 9), 24 * 2**30)


@pytest.fixture
def several(monkeypatch: pytest.MonkeyPatch) -> None:
    shows(monkeypatch, [OTHER, SMALL, LARGE])


def shows(monkeypatch: pytest.MonkeyPatch, found: Sequence[tuple[str, tuple[int, int], int]]) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(*found))
    monkeypatch.setenv(gpus.VISIBLE, "")  # so that it is put back, whatever is set
    monkeypatch.delenv(gpus.VISIBLE)
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID")


@pytest.mark.usefixtures("several")
def test_the_largest_of_the_kind_is_the_only_one_that_is_shown() -> None:
    keep_to("8.6")
    assert os.environ[gpus.VISIBLE] == "GPU-2"
    assert [gpu.name for gpu in driver_gpus()] == [LARGE[0]]
    assert chosen() == "GPU-2"
    keep_to("8.9")  # the process has chosen, and CUDA may run
    assert os.environ[gpus.VISIBLE] == "GPU-2"


@pytest.mark.usefixtures("several")
def test_without_a_fitting_one_all_stay() -> None:
    keep_to("8.7")
    assert gpus.VISIBLE not in os.environ
    assert len(list(driver_gpus())) == 3
    assert chosen() == ""


def test_a_single_gpu_needs_no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    shows(monkeypatch, [SMALL])
    keep_to("8.6")
    assert gpus.VISIBLE not in os.environ


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ("1", [SMALL]),
        ("2,0", [LARGE, OTHER]),
        ("GPU-1", [SMALL]),
        ("1,7,0", [SMALL]),
        ("", []),
        ("-1", []),
    ],
)
def test_what_the_user_chose_is_kept_to(
    said: str, seen: list[tuple[str, tuple[int, int], int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(gpus.VISIBLE, said)
    keep_to("8.6")
    assert os.environ[gpus.VISIBLE] == said
    assert [gpu.name for gpu in driver_gpus()] == [name for name, _, _ in seen]


def test_of_none_that_fits_none_is_taken() -> None:
    assert fitting([Gpu("a", "8.9", 1)], "8.6") is None
    assert fitting([], "8.6") is None
