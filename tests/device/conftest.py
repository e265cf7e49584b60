"""What a device must have for a test: where it has not, the test is skipped, and pytest's last lines say why.

Warnings are shown there, and are no errors as elsewhere: what a device's own libraries warn of is not ours to mend.
"""

from __future__ import annotations

import pytest

from tests.accelerator import lacking_cuda_provider, lacking_gpu, lacking_tensorrt


@pytest.fixture(scope="session")
def gpu() -> None:
    """Any NVIDIA GPU, with cuda-python."""
    _require(lacking_gpu())


@pytest.fixture(scope="session")
def cuda_provider() -> None:
    """A GPU with ONNX Runtime's CUDA provider."""
    _require(lacking_cuda_provider())


@pytest.fixture(scope="session")
def tensorrt() -> None:
    """A GPU with a TensorRT."""
    _require(lacking_tensorrt())


def _require(lacking: str) -> None:
    if lacking:
        pytest.skip(lacking)
