"""What the doctor says of a GPU that is listed: whether CUDA starts on it."""

from __future__ import annotations

import pytest

from edgekit.doctor.cuinit import cuinit
from edgekit.machine.programs import Reply
from tests.unit.doctor.conftest import Says
from tests.unit.machine.recordings import CUINIT, DESKTOP, ORIN6, VM, WSL2, Recording

NO_DEVICE = '[100, 0, "CUDA_ERROR_NO_DEVICE"]\n'
MISSING = '[-1, 0, "libcuda.so.1: cannot open shared object file: No such file or directory"]\n'


@pytest.mark.parametrize(("recording", "name"), [(DESKTOP, "rtx3050"), (ORIN6, "orin"), (WSL2, "rtx3050")])
def test_a_gpu_on_which_cuda_starts(says: Says, recording: Recording, name: str) -> None:
    assert says(cuinit, recording, name) == [("good", "CUDA starts and sees 1 GPU", "")]


def test_nothing_is_started_for_a_target_or_a_machine_without_a_gpu(says: Says) -> None:
    broken = {CUINIT: NO_DEVICE}
    assert says(cuinit, DESKTOP.changed(answers=broken), "cpu") == []
    assert says(cuinit, VM.changed(answers=broken), "rtx3050") == []


@pytest.mark.parametrize(
    ("recording", "reply", "what", "mend"),
    [
        (DESKTOP, NO_DEVICE, "cuInit says 100 (CUDA_ERROR_NO_DEVICE)", "sudo nvidia-modprobe -u -c=0"),
        (DESKTOP, '[803, 0, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"]', "cuInit says 803", "sudo reboot"),
        (DESKTOP, '[999, 0, "CUDA_ERROR_UNKNOWN"]', "cuInit says 999", "sudo modprobe nvidia_uvm"),
        (DESKTOP, '[304, 0, "CUDA_ERROR_OPERATING_SYSTEM"]', "cuInit says 304", "denied"),
        (DESKTOP, '[802, 0, "CUDA_ERROR_SYSTEM_NOT_READY"]', "cuInit says 802", "nvidia-fabricmanager"),
        (DESKTOP, '[0, 0, "CUDA_SUCCESS"]', "shows no GPU", "sudo nvidia-modprobe"),
        (DESKTOP, MISSING, "the driver's library is missing (libcuda.so.1", "sudo ubuntu-drivers install"),
        (DESKTOP, Reply(-11), "ends its process when it starts (signal 11)", "dmesg"),
        (ORIN6, NO_DEVICE, "cuInit says 100", "nvgpu|nvmap"),
        (ORIN6, MISSING, "library is missing", "nvidia-l4t-cuda"),
        (ORIN6.changed(files={".dockerenv": ""}), MISSING, "library is missing", "--runtime nvidia"),
        (WSL2, NO_DEVICE, "cuInit says 100", "in Windows"),
    ],
)
def test_a_gpu_that_is_listed_and_does_not_compute(
    says: Says, recording: Recording, reply: str | Reply, what: str, mend: str
) -> None:
    name = "orin" if recording.host.get("arch") == "aarch64" else "rtx3050"
    [diagnosis] = says(cuinit, recording.changed(answers={CUINIT: reply}), name)
    assert diagnosis[0] == "bad"
    assert what in diagnosis[1]
    assert mend in diagnosis[2]


def test_a_start_without_an_answer_is_unknown(says: Says) -> None:
    hung = Reply(None, why="gave no answer within 60 s")
    [diagnosis] = says(cuinit, DESKTOP.changed(answers={CUINIT: hung}), "rtx3050")
    assert diagnosis[:2] == ("unknown", "whether CUDA starts: Python gave no answer within 60 s")
    garbled = DESKTOP.changed(answers={CUINIT: Reply(1, "", "Fatal Python error\n")})
    assert says(cuinit, garbled, "rtx3050")[0][:2] == ("unknown", "whether CUDA starts: Fatal Python error")
