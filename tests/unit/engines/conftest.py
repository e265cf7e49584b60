"""A tiny bundle with its simulated plans for the tests of TensorRT's engine, and a home with nothing in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.engines.tensorrt.case import Case, make_case, spoilable


@pytest.fixture(scope="session")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """To be read alone: one for all tests."""
    return make_case(tmp_path_factory.mktemp("llama"))


@pytest.fixture
def mine(case: Case, tmp_path: Path) -> Case:
    """A copy that may be harmed."""
    return spoilable(case, tmp_path / "plans")


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of a user with nothing in it."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(folder))
    return folder
