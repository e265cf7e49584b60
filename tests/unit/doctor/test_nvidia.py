"""What the doctor says of NVIDIA's driver, of GPUs and of the nodes that lead to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.doctor.capacity import memory
from edgekit.doctor.nvidia import driver, gpu
from edgekit.machine.programs import Reply
from tests.unit.doctor.conftest import Says
from tests.unit.machine.recordings import (
    DESKTOP,
    ORIN6,
    UUID,
    Recording,
    status,
)

MISMATCH = "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 580.95\n"
FAILED = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that …\n"


@pytest.mark.parametrize(
    ("reply", "state", "what", "mend"),
    [
        (Reply(18, MISMATCH), "bad", "updated but not restarted", "sudo reboot"),
        (Reply(9, FAILED), "bad", "kernel module is not loaded", "sudo modprobe nvidia"),
        (Reply(6, "No devices were found\n"), "bad", "nvidia-smi fails: No devices were found", "sudo modprobe"),
        (Reply(None, why="is not installed"), "bad", "no driver", "sudo ubuntu-drivers install"),
        (Reply(None, why="gave no answer within 10 s"), "unknown", "gave no answer", "dmesg"),
        (Reply(None, why="can't be run: Permission denied"), "unknown", "Permission denied", ""),
    ],
)
def test_a_driver_in_trouble(says: Says, reply: Reply, state: str, what: str, mend: str) -> None:
    [diagnosis] = says(driver, DESKTOP.changed(answers={"nvidia-smi -q": reply}), "rtx3050")
    assert diagnosis[0] == state
    assert what in diagnosis[1]
    assert mend in diagnosis[2]


def test_a_card_that_the_target_does_not_need_may_lack_its_driver(says: Says) -> None:
    [diagnosis] = says(driver, DESKTOP.changed(answers={"nvidia-smi -q": Reply(9, FAILED)}), "cpu")
    assert diagnosis[0] == "good"
    assert "ubuntu-drivers" in diagnosis[2]


def test_a_driver_in_its_newer_spelling(says: Says) -> None:
    newer = DESKTOP.changed(answers={"nvidia-smi -q": status("610.57.04", "13.3", new=True)})
    assert says(driver, newer, "rtx3050") == [("good", "610.57.04, runs CUDA up to 13.3", "")]


def test_a_gpu_whose_driver_does_not_tell_its_compute_capability(says: Says) -> None:
    old = DESKTOP.changed(
        answers={"nvidia-smi --query-gpu=name": f"NVIDIA GeForce RTX 3050, [N/A], 6144, 470.1, {UUID}\n"}
    )
    assert [diagnosis[0] for diagnosis in says(gpu, old, "rtx3050")] == ["good", "unknown"]


SECOND = "GPU-77777777-0a77-4d12-9c55-6b1f0e2d8a34"
TWO = DESKTOP.changed(
    answers={
        "nvidia-smi --query-gpu=name": f"NVIDIA GeForce RTX 3050, 8.6, 6144, 580.95.05, {UUID}\n"
        f"NVIDIA GeForce RTX 3080 Laptop GPU, 8.6, 16384, 580.95.05, {SECOND}\n",
        "nvidia-smi --query-gpu=memory.free": f"5712, {UUID}\n16000, {SECOND}\n",
    }
)


@pytest.mark.parametrize("chosen", ["0", UUID, UUID[:12]])
def test_gpus_are_those_that_the_user_chose(says: Says, tmp_path: Path, chosen: str) -> None:
    chosen_alone = TWO.changed(environment={"CUDA_VISIBLE_DEVICES": chosen})
    assert [gpu.name for gpu in chosen_alone.at(tmp_path).machine.gpus] == ["NVIDIA GeForce RTX 3050"]
    diagnoses = says(gpu, chosen_alone, "rtx3080")
    assert [state for state, _, _ in diagnoses] == ["good", "good", "bad"]
    assert diagnoses[1][1:] == (
        f"CUDA_VISIBLE_DEVICES={chosen} hides NVIDIA GeForce RTX 3080 Laptop GPU from EdgeKit",
        "unset CUDA_VISIBLE_DEVICES",
    )
    assert [diagnosis[:2] for diagnosis in says(memory, chosen_alone, "rtx3050")][1] == ("good", "5.58 GiB free")
    assert [state for state, _, _ in says(gpu, TWO, "rtx3080")] == ["good", "good"]
    assert says(memory, TWO, "rtx3080")[1][1] == "15.6 GiB free"


@pytest.mark.parametrize("recording", [DESKTOP, ORIN6])
def test_a_gpu_that_is_hidden_is_not_there_and_says_why(says: Says, recording: Recording) -> None:
    listed = {"proc/driver/nvidia/gpus/0000:01:00.0/information": "Model: \t NVIDIA GeForce RTX 3050\n"}
    hidden = recording.changed(files=listed, environment={"CUDA_VISIBLE_DEVICES": ""})
    name = "orin" if recording is ORIN6 else "rtx3050"
    diagnoses = says(gpu, hidden, name)
    assert [state for state, _, _ in diagnoses] == ["good", "bad"]
    assert (diagnoses[1][1].endswith("CUDA_VISIBLE_DEVICES hides it"), diagnoses[1][2]) == (
        True,
        "unset CUDA_VISIBLE_DEVICES",
    )
    assert len(says(memory, hidden, name)) == 1
