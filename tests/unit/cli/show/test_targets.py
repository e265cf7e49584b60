"""Targets in a table and in full, and a machine beside the target that it is like."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgekit.cli.show.targets import list_targets, show_machine, show_target
from edgekit.console import Console
from edgekit.machine.detect import Machine
from edgekit.machine.gpus import Gpu
from edgekit.target import Budget, target
from edgekit.units import GIB
from tests.rendered import rows

Capture = pytest.CaptureFixture[str]
ORIN = Machine(
    system="Linux",
    arch="aarch64",
    cpu="ARMv8",
    cores=12,
    features=("asimd", "sve"),
    memory_bytes=61 * GIB,
    gpus=(Gpu("NVIDIA Jetson AGX Orin (integrated)", "8.7"),),
    jetson="NVIDIA Jetson AGX Orin",
    l4t="36.4.3",
)


def test_each_target_has_a_line(capsys: Capture) -> None:
    list_targets(Console(), [target("cpu"), target("rtx3050")])
    _, cpu, card = rows(capsys.readouterr().out)
    assert "what it has" in cpu
    assert card == [
        "rtx3050", target("rtx3050").title, "6.00 GiB", "168 GB/s", "8.6", "2 × 2048", "tensorrt"
    ]  # fmt: skip


def test_a_target_in_full_ends_with_its_budget(capsys: Capture) -> None:
    limited = Budget(static_bytes=GIB, dynamic_bytes=2 * GIB, disk_bytes=3 * GIB, first_token_ms=1500, load_s=2.5)
    show_target(Console(), replace(target("orin"), budget=limited))
    fields = {row[0]: row[1] for row in rows(capsys.readouterr().out)}
    assert fields["memory"].endswith("(shared by CPU and GPU)")
    assert list(fields.items())[-7:] == [
        ("static budget", "1.00 GiB"),
        ("dynamic budget", "2.00 GiB"),
        ("memory budget", "no limit"),
        ("disk budget", "3.00 GiB"),
        ("first token", "1500 ms"),
        ("speed", "no limit"),
        ("load time", "2.5 s"),
    ]
    show_target(Console(), target("cpu"))
    assert ["compute capability", "no GPU"] in rows(capsys.readouterr().out)


def test_a_machine_names_its_board_its_gpus_and_its_target(capsys: Capture) -> None:
    show_machine(Console(), ORIN, target("orin"))
    out, err = capsys.readouterr()
    table = rows(out)
    assert ["instructions", "asimd sve"] in table
    assert ["Jetson", "NVIDIA Jetson AGX Orin, L4T 36.4.3"] in table
    assert ["GPU", "NVIDIA Jetson AGX Orin (integrated), compute capability 8.7"] in table
    assert table[-1] == ["target", "orin (Jetson AGX Orin, 64 GB)"]
    assert err == ""


def test_what_a_gpu_does_not_tell_takes_a_library(capsys: Capture) -> None:
    card, silent = Gpu("a card", "8.6", 6 * GIB), Gpu("another")
    show_machine(Console(), replace(ORIN, jetson="", features=(), gpus=(card, silent)), target("cpu"))
    out, err = capsys.readouterr()
    assert ["GPU", "a card, 6.00 GiB, compute capability 8.6"] in rows(out)
    assert ["GPU", "another"] in rows(out)
    assert ["instructions", "unknown"] in rows(out)
    assert "Jetson" not in out
    assert "pip install nvidia-ml-py" in err
