"""A whole checkpoint, of which each test spoils a copy."""

from __future__ import annotations

import pytest

from tests.checkpoints import Tiny, write_checkpoint


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    return write_checkpoint(tmp_path_factory.mktemp("whole") / "m", "llava", "mistral")
