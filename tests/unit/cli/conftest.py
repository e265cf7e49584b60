"""A checkpoint on disk, for commands that begin with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.checkpoint.shapes import tensor_shapes
from edgekit.quantize.write import write_checkpoint
from edgekit.recipe import recipe
from tests.unit.quantize.fakes import SPEC, Stored, checkpoint, normal


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A checkpoint on disk, in fp16."""
    tensors = {name.replace(".", "__"): Stored(normal(*shape)) for name, shape in tensor_shapes(SPEC).items()}
    write_checkpoint(checkpoint(**tensors), recipe("fp16"), tmp_path / "plain")
    return tmp_path / "plain"
