"""What a model is shown from a user's own data."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.checkpoint.open import open_checkpoint
from edgekit.inputs.examples import Example
from edgekit.quantize.shown import prompts
from tests.checkpoints import write_checkpoint
from tests.dicoms import deep, encode


def test_what_was_left_out_of_a_picture_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = open_checkpoint(write_checkpoint(tmp_path / "c", "hf", "llama", "clip").path)
    path = tmp_path / "scan.dcm"
    path.write_bytes(encode(deep(WindowCenter="40", WindowWidth="0")))
    examples = [Example("What is shown?", path, "A scan."), Example("And now?", path, "A scan.")]
    assert [len(prompt.images) for prompt in prompts(source, examples)] == [1, 1]
    assert caplog.messages == [f"{path}: The window is left out: Window Width is 0."]
