"""What the doctor says of TensorRT: which packages, against the driver's CUDA and the target's GPU."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgekit.doctor.tensorrt import tensorrt
from edgekit.machine.programs import Reply
from tests.unit.doctor.conftest import Says
from tests.unit.machine.recordings import (
    DESKTOP,
    ORIN6,
    ORIN7,
    RTX,
    VM,
    WSL2,
    Recording,
    loader_cache,
    status,
)


@pytest.mark.parametrize(
    ("packages", "name", "state", "what", "mend"),
    [
        ({}, "rtx3050", "bad", "computes on it", "edgekit[rtx]"),
        ({"tensorrt": "8.6.1"}, "rtx3080", "bad", "too old", "edgekit[rtx]"),
        ({"tensorrt-rtx-cu13": "1.7.1.116"}, "rtx3050", "bad", "lacks cuda-python", "cuda-python==13.*"),
        ({"tensorrt": "10.3.0", "cuda-python": "12.9.0"}, "rtx3050", "good", "tensorrt 10.3.0", ""),
        ({"tensorrt": "11.0", "cuda-python": "13.1"}, "rtx3050", "bad", "lacks NVRTC", "'nvidia-cuda-nvrtc==13.*'"),
    ],
)
def test_tensorrt_where_a_target_computes_on_it(
    says: Says, packages: dict[str, str], name: str, state: str, what: str, mend: str
) -> None:
    diagnosis = next(
        diagnosis for diagnosis in says(tensorrt, DESKTOP.changed(packages=packages), name) if diagnosis[0] == state
    )
    assert (what in diagnosis[1], mend in diagnosis[2]) == (True, True)
    assert says(tensorrt, DESKTOP.changed(packages={}), "cpu") == []


def test_a_jetson_s_tensorrt_comes_with_jetpack(says: Says) -> None:
    [diagnosis] = says(tensorrt, ORIN6.changed(packages={}), "orin")
    assert "nvidia-jetpack" in diagnosis[2]
    [diagnosis] = [
        diagnosis
        for diagnosis in says(tensorrt, ORIN6.changed(packages={"tensorrt": "10.3.0"}), "orin")
        if diagnosis[0] == "bad"
    ]
    assert "cuda-python==12.*" in diagnosis[2]


DRIVER_550 = status("550.163.01", "12.4")
UPDATE = "sudo ubuntu-drivers install nvidia:580 && sudo reboot"


@pytest.mark.parametrize(
    ("recording", "packages", "name", "what", "mend"),
    [
        (DESKTOP, {"tensorrt-rtx-cu13": "1.7.1.116", "cuda-python": "13.0.1"}, "rtx3050", "runs CUDA 13", UPDATE),
        (DESKTOP, {"tensorrt-rtx-cu13": "1.7.1.116", "cuda-python": "12.9.0"}, "rtx3050", "runs CUDA 13", UPDATE),
        (DESKTOP, {"tensorrt": "10.14", "tensorrt-cu13": "10.14", "cuda-python": "13.0.1"}, "rtx3050", "13", UPDATE),
        (WSL2, {"tensorrt-rtx-cu13": "1.7.1.116", "cuda-python": "13.0.1"}, "rtx3050", "up to 12.4", "in Windows"),
        (
            DESKTOP,
            {"tensorrt-cu12": "10.14", "cuda-python": "13.0.1"},
            "rtx3050",
            "cuda-python 13.0.1 is for CUDA 13, the driver runs up to 12.4",
            "pip install 'cuda-python==12.*'",
        ),
        (DESKTOP, {"tensorrt-rtx-cu12": "1.7.1", "cuda-bindings": "13.0.1"}, "rtx3050", "cuda-bindings 13", "==12.*'"),
    ],
)
def test_a_driver_of_an_older_cuda_than_the_packages(
    says: Says, recording: Recording, packages: dict[str, str], name: str, what: str, mend: str
) -> None:
    old = recording.changed(packages=packages, answers={"nvidia-smi -q": DRIVER_550})
    [diagnosis] = [diagnosis for diagnosis in says(tensorrt, old, name) if diagnosis[0] == "bad"]
    assert (what in diagnosis[1], mend in diagnosis[2]) == (True, True)
    whole = packages | {"nvidia-cuda-nvrtc": "13.0.88", "nvidia-cuda-nvrtc-cu12": "12.9.86"}
    ready = recording.changed(packages=whole)  # a driver of CUDA 13 runs both
    assert [diagnosis[0] for diagnosis in says(tensorrt, ready, name)] == ["good"]


def test_packages_are_not_held_against_a_driver_that_does_not_tell_its_cuda(says: Says) -> None:
    ahead = VM.changed(packages=RTX)
    assert [diagnosis[0] for diagnosis in says(tensorrt, ahead, "rtx3050")] == ["good"]


def test_a_jetson_s_cuda_python_is_of_its_system_s_cuda(says: Says) -> None:
    packages = {"tensorrt": "10.3.0", "cuda-python": "13.4.4"}
    newer = ORIN6.changed(packages=packages)
    [diagnosis] = [diagnosis for diagnosis in says(tensorrt, newer, "orin") if diagnosis[0] == "bad"]
    assert diagnosis[1:] == (
        "cuda-python 13.4.4 is for CUDA 13, the driver runs up to 12.6",
        "pip install 'cuda-python==12.*'",
    )
    silent = newer.changed(answers={"nvidia-smi": Reply(None, why="is not installed")})
    silent = replace(
        silent, answers={key: diagnosis for key, diagnosis in silent.answers.items() if "smi -" not in key}
    )
    assert says(tensorrt, silent, "orin")[-1][2] == "pip install 'cuda-python==12.*'"
    older = ORIN7.changed(packages={"tensorrt": "10.16.2", "cuda-python": "12.9.0"})
    assert [diagnosis[0] for diagnosis in says(tensorrt, older, "orin")] == ["good"]
    bare = ORIN7.changed(answers={"ldconfig -p": loader_cache()})
    assert says(tensorrt, bare, "orin")[1][2] == "sudo apt update && sudo apt install nvidia-jetpack"
    other = ORIN6.changed(packages={"tensorrt-cu13": "10.14", "cuda-python": "12.9.0"})
    assert says(tensorrt, other, "orin")[0][2] == "pip uninstall tensorrt-cu13   (a Jetson has its own with JetPack)"


def test_nvrtc_is_the_newest_package_and_no_newer_than_the_driver(says: Says) -> None:
    """cuda-python takes it by what lies there, not by its own major."""
    own = {"tensorrt-cu12": "10.14", "cuda-python": "12.9.0"}
    for more in ({"nvidia-cuda-nvrtc": "13.0.88"}, {"nvidia-cuda-nvrtc-cu12": "12.9.86"}):
        assert [diagnosis[0] for diagnosis in says(tensorrt, DESKTOP.changed(packages=own | more), "rtx3050")] == [
            "good"
        ]
    both = own | {"nvidia-cuda-nvrtc": "13.0.88", "nvidia-cuda-nvrtc-cu12": "12.9.86"}
    old = DESKTOP.changed(packages=both, answers={"nvidia-smi -q": DRIVER_550})
    [diagnosis] = [diagnosis for diagnosis in says(tensorrt, old, "rtx3050") if diagnosis[0] == "bad"]
    assert diagnosis[1].startswith(
        "nvidia-cuda-nvrtc 13.0.88 is for CUDA 13, the driver runs up to 12.4: keys and values"
    )
    assert diagnosis[2] == "pip uninstall -y nvidia-cuda-nvrtc && pip install 'nvidia-cuda-nvrtc-cu12==12.*'"
    lacking = DESKTOP.changed(packages=own, answers={"nvidia-smi -q": DRIVER_550})
    assert says(tensorrt, lacking, "rtx3050")[1][2] == "pip install 'nvidia-cuda-nvrtc-cu12==12.*'"


def test_nvrtc_of_a_toolkit_will_do_where_its_home_is_told(says: Says) -> None:
    toolkit = ORIN6.changed(
        answers={"ldconfig -p": loader_cache()},
        files={"usr/local/cuda/targets/aarch64-linux/lib/libnvrtc.so.12": ""},
    )
    assert [diagnosis[0] for diagnosis in says(tensorrt, toolkit, "orin")] == ["good", "bad"]
    in_toolkit = toolkit.changed(environment={"CUDA_HOME": "/usr/local/cuda"})
    assert [diagnosis[0] for diagnosis in says(tensorrt, in_toolkit, "orin")] == ["good"]


def test_tensorrt_rtx_alone_is_nothing_to_a_jetson(says: Says) -> None:
    alone = ORIN7.changed(packages={"tensorrt-rtx-cu13": "1.7.1.116", "cuda-python": "13.2.0"})
    [diagnosis] = says(tensorrt, alone, "orin")
    assert (diagnosis[0], "compute capability 8.7" in diagnosis[1], "nvidia-jetpack" in diagnosis[2]) == (
        "bad",
        True,
        True,
    )
    both = ORIN7.changed(packages={"tensorrt": "10.16.2", "tensorrt-rtx-cu13": "1.6", "cuda-python": "13.2.0"})
    assert [diagnosis[0] for diagnosis in says(tensorrt, both, "orin")] == ["good"]


@pytest.mark.parametrize("packages", [{}, {"tensorrt-rtx-cu13": "1.7.1.116", "cuda-python": "13.0.1"}])
def test_a_pc_s_tensorrt_says_nothing_of_an_orin_s(says: Says, packages: dict[str, str]) -> None:
    [diagnosis] = says(tensorrt, DESKTOP.changed(packages=packages), "orin")
    assert diagnosis == (
        "unknown",
        "target orin is for aarch64: a Jetson has TensorRT of its own with JetPack",
        "edgekit doctor   (on the device)",
    )
