"""The streamed pass beside transformers' own model: pictures, rows and the logits at every place of an answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgekit.check.golden import PICTURE
from edgekit.check.reference import Script, read_all
from edgekit.checkpoint.open import open_checkpoint
from tests.checkpoints import DecoderKind, Layout, TowerKind, write_checkpoint

SCRIPTS = [
    Script((1, 40, PICTURE, 41, 42), 1, (50, 51, 2)),
    Script((1, PICTURE, 44), 0, (60,)),
    Script((1, 45, 46, 47), None, (61, 62)),
]


@pytest.mark.parity
@pytest.mark.parametrize(
    ("layout", "decoder", "tower"), [("hf", "llama", "clip"), ("hf", "phi", "siglip")], ids=["llama", "phi"]
)
def test_the_streamed_pass_is_the_model(layout: Layout, decoder: DecoderKind, tower: TowerKind, tmp_path: Path) -> None:
    tiny = write_checkpoint(tmp_path / "c", layout, decoder, tower)
    pixels = np.random.default_rng(0).standard_normal((2, 3, 28, 28), dtype=np.float32)
    stages: list[tuple[int, int]] = []
    read = read_all(open_checkpoint(tiny.path), pixels, SCRIPTS, lambda stage, *at: stages.append(at))
    embeds = tiny.image_features(pixels)
    np.testing.assert_allclose(read.embeds, embeds, atol=2e-4, rtol=1e-3)
    table = tiny.model.model.language_model.embed_tokens.weight.detach().numpy()
    assert read.tokens == (1, 2, 40, 41, 42, 44, 45, 46, 47, 50, 51, 60, 61, 62)
    np.testing.assert_array_equal(read.rows, table[list(read.tokens)])
    for script, logits in zip(SCRIPTS, read.logits, strict=True):
        ids = (*script.prompt, *script.answer[:-1])
        rows = [embeds[script.picture] if token == PICTURE else table[token][None] for token in ids]
        expected = tiny.logits(np.concatenate(rows)[None])[0, -len(script.answer) :]
        np.testing.assert_allclose(logits, expected, atol=5e-4, rtol=1e-3)
    assert stages[-1][0] == stages[-1][1] == len(stages)


def test_text_alone_needs_no_picture(tmp_path: Path) -> None:
    tiny = write_checkpoint(tmp_path / "c", "hf", "llama", "clip")
    read = read_all(open_checkpoint(tiny.path), np.zeros((0, 3, 28, 28), np.float32), SCRIPTS[2:])
    assert read.features.shape == (0, 16, 72)
    assert read.embeds.shape == (0, 16, 288)
    assert read.logits[0].shape == (2, 320)
