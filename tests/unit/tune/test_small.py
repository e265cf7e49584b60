"""The embedded model's files as transformers' own processor and EdgeKit read them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from tokenizers import Tokenizer
from transformers import AutoProcessor, LlavaForConditionalGeneration

from edgekit.checkpoint.open import open_checkpoint
from edgekit.inputs.images import Picture
from edgekit.inputs.prompt import ImagePiece, Turn, build
from edgekit.phantom import draw, scene
from edgekit.phantom.split import balanced
from edgekit.tune.small import IMAGE, PATCHES, SPECIAL, VOCAB, model, save, tokenizer

IMAGE_ID = SPECIAL.index(IMAGE)


@pytest.fixture(scope="module")
def text() -> Tokenizer:
    return tokenizer()


@pytest.fixture(scope="module")
def folder(text: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(5)
    path: Path = tmp_path_factory.mktemp("small")
    save(model(), text, path)
    return path


def test_a_prompt_is_that_of_transformers_own_processor(folder: Path) -> None:
    """Chat template, tokens, so many of them for a picture, and the picture's pixels."""
    checkpoint, drawn = open_checkpoint(folder), draw(scene(3)).convert("RGB")
    words = Tokenizer.from_str(checkpoint.tokenizer_json)
    prompt = build(checkpoint.spec, words, [Turn("Is there a nodule?", images=(Picture(drawn, "3"),))])
    processor = AutoProcessor.from_pretrained(folder)
    asked = processor.apply_chat_template(
        [{"role": "user", "content": f"{IMAGE}\nIs there a nodule?"}], add_generation_prompt=True
    )
    expected = processor(images=drawn, text=asked, return_tensors="np")
    ids = [[IMAGE_ID] * PATCHES if isinstance(piece, ImagePiece) else piece.keys for piece in prompt.pieces]
    np.testing.assert_array_equal(np.concatenate(ids), expected["input_ids"][0])
    np.testing.assert_allclose(prompt.images[0].pixels(), expected["pixel_values"][0], atol=1e-6)


def test_what_is_saved_are_the_weights_in_float16(folder: Path) -> None:
    torch.manual_seed(5)
    fresh = model()
    read = LlavaForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).state_dict()
    for name, value in fresh.state_dict().items():
        torch.testing.assert_close(read[name], value.half().float(), rtol=0, atol=0, msg=name)
    stored = load_file(folder / "model.safetensors")
    assert {array.dtype for array in stored.values()} == {np.dtype(np.float16)}
    assert 4.6e6 < sum(array.size for array in stored.values()) < 4.8e6


@pytest.mark.parametrize("written", ["Größe: 3 µm", "肺に影がある", "\x00\n\t 🫁", ""])
def test_any_text_can_be_written_and_is_read_back(written: str, text: Tokenizer) -> None:
    ids = text.encode(written).ids
    assert text.decode(ids) == written
    assert all(len(SPECIAL) <= token < VOCAB for token in ids)


def test_the_phantoms_words_take_few_tokens(text: Tokenizer) -> None:
    """Trained for: of bytes alone a text would take one a byte."""
    asked = [asked.question.text for asked in balanced("validation", 50)]
    assert sum(len(text.encode(question).ids) for question in asked) < 0.3 * len("".join(asked).encode())
