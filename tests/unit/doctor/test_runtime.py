"""Whether ONNX Runtime starts, and finds what CUDA needs: what the check says of machines that differ in one thing."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.doctor.runtime import cuda, runtime
from edgekit.machine.programs import Reply
from tests.unit.doctor.conftest import Says
from tests.unit.machine.recordings import (
    DESKTOP,
    LDD_LACKING,
    ORIN6,
    ORIN7,
    PROVIDERS,
    VM,
    Recording,
    lay_cuda_provider,
)


def test_both_builds_of_the_runtime(says: Says) -> None:
    both = VM.changed(packages={"onnxruntime": "1.31.1", "onnxruntime-gpu": "1.31.1"})
    [diagnosis] = says(runtime, both, "cpu")
    assert diagnosis[2] == "pip uninstall -y onnxruntime onnxruntime-gpu && pip install --no-cache-dir onnxruntime"
    [diagnosis] = says(runtime, both, "rtx3050-cuda")
    assert (diagnosis[0], diagnosis[2].endswith(" onnxruntime-gpu")) == ("bad", True)


@pytest.mark.parametrize(
    ("recording", "name", "mend"),
    [
        (VM, "rtx3050-cuda", "pip install --no-cache-dir onnxruntime-gpu"),
        (ORIN7, "orin-cuda", "pip install --no-cache-dir onnxruntime-gpu"),
        (ORIN6, "orin-cuda", "JetPack 6"),
    ],
)
def test_a_runtime_without_cuda(says: Says, recording: Recording, name: str, mend: str) -> None:
    cpu = recording.changed(packages={"onnxruntime": "1.31.1"}, answers={"python": PROVIDERS["cpu"]})
    [diagnosis] = says(runtime, cpu, name)
    assert (diagnosis[0], "without CUDA" in diagnosis[1]) == ("bad", True)
    assert mend in diagnosis[2]


def test_a_runtime_that_does_not_start(says: Says) -> None:
    error = "Traceback (most recent call last):\nImportError: libstdc++.so.6: cannot open shared object file\n"
    [diagnosis] = says(runtime, VM.changed(answers={"python": Reply(1, "", error)}))
    assert (diagnosis[0], diagnosis[2]) == ("bad", "pip install --force-reinstall --no-cache-dir onnxruntime")
    assert diagnosis[1].endswith("libstdc++.so.6: cannot open shared object file")
    crashed = VM.changed(packages={}, answers={"python": Reply(-11)})
    assert says(runtime, crashed)[0][::2] == ("bad", "pip install onnxruntime")
    hung = VM.changed(answers={"python": Reply(None, why="gave no answer within 60 s")})
    assert says(runtime, hung)[0][0] == "unknown"


def test_cuda_libraries_that_the_loader_does_not_find(says: Says, tmp_path: Path) -> None:
    lay_cuda_provider(tmp_path / "site")
    lacking = DESKTOP.changed(answers={"ldd": LDD_LACKING, "ldconfig -p": "1 libs found in cache\n"})
    [diagnosis] = says(cuda, lacking, "rtx3050-cuda", tmp_path)
    assert diagnosis[1] == "not found: libcublasLt.so.13, libcublas.so.13, libcurand.so.10, libcudnn.so.9"
    assert "onnxruntime-gpu[cuda,cudnn]" in diagnosis[2]
    for name in ("cublas/lib/libcublas.so.13", "cublas/lib/libcublasLt.so.13", "cudnn/lib/libcudnn.so.9"):
        (tmp_path / "site/nvidia" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "site/nvidia" / name).touch()
    [diagnosis] = says(cuda, lacking, "rtx3050-cuda", tmp_path)
    assert diagnosis[2] == f"export LD_LIBRARY_PATH={tmp_path}/site/nvidia/cublas/lib:{tmp_path}/site/nvidia/cudnn/lib"


def test_cudnn_is_found_where_the_provider_opens_it_and_tells_its_version(says: Says, tmp_path: Path) -> None:
    lay_cuda_provider(tmp_path / "site", "12.6")
    folder = tmp_path / "usr/lib/aarch64-linux-gnu"
    folder.mkdir(parents=True)
    (folder / "libcudnn.so.9.3.0").touch()
    (folder / "libcudnn.so.9").symlink_to("libcudnn.so.9.3.0")
    cache = f"12 libs found in cache\n\tlibcudnn.so.9 (libc6,AArch64) => {folder}/libcudnn.so.9\n"
    whole = ORIN6.changed(answers={"ldd": "\tlibcudart.so.12 => /x (0x1)\n", "ldconfig -p": cache})
    assert says(cuda, whole, "orin-cuda", tmp_path) == [
        ("good", "CUDA 12.6 libraries, cuDNN 9.3.0, found by the loader", "")
    ]
    nowhere = ORIN6.changed(answers={"ldd": "\tlibcudart.so.12 => /x (0x1)\n"})
    assert says(cuda, nowhere, "orin-cuda", tmp_path)[0][::2] == (
        "bad",
        "sudo apt update && sudo apt install nvidia-jetpack",
    )
    searching = nowhere.changed(environment={"LD_LIBRARY_PATH": ":/usr/lib/aarch64-linux-gnu"})
    assert says(cuda, searching, "orin-cuda", tmp_path)[0][0] == "good"


def test_no_ldd_leaves_the_libraries_unknown(says: Says, tmp_path: Path) -> None:
    lay_cuda_provider(tmp_path / "site")
    [diagnosis] = says(
        cuda, DESKTOP.changed(answers={"ldd": Reply(1, "", "not a dynamic executable\n")}), "rtx3050-cuda", tmp_path
    )
    assert diagnosis[:2] == ("unknown", "ldd not a dynamic executable")
