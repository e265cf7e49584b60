"""Answers in company against answers alone and transformers' own model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.open import open_checkpoint
from edgekit.phantom import Question
from edgekit.tune.answers import answers, grouped_attention
from edgekit.tune.conversations import IGNORED, ConversationWriter
from edgekit.tune.small import PATCHES, SPECIAL, model, save, tokenizer
from edgekit.tune.tower import features, prepare

QUESTIONS = [
    Question("closed", "presence", "Is there a nodule?", "no"),
    Question("description", "description", "what do you see", "There is an enlarged heart."),
    Question("open", "where", "Where is the nodule?", "in the left upper zone"),
]


TOKENIZER = tokenizer()


IMAGE_TOKEN = SPECIAL.index("<image>")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    torch.manual_seed(5)
    folder: Path = tmp_path_factory.mktemp("embedded") / "small"
    folder.mkdir()
    save(model(), TOKENIZER, folder)
    return open_checkpoint(folder)


def writer(questions: int = 3) -> ConversationWriter:
    return ConversationWriter(TOKENIZER, IMAGE_TOKEN, PATCHES, questions)


def test_answers_in_company_are_the_answers_alone() -> None:
    torch.manual_seed(6)
    net = model().eval()
    net.set_attn_implementation({"vision_config": "eager", "text_config": "grouped"})
    pixels = prepare(np.random.default_rng(0).integers(0, 256, (2, 112, 112), np.uint8))
    with torch.no_grad():
        patches = features(net.model.vision_tower, pixels)
        together = answers(net, patches, writer().write([QUESTIONS, QUESTIONS[:2]], [True, True]))
        alone = [
            answers(net, patches[row : row + 1], writer().write([[question]], [False]))
            for row, questions in enumerate((QUESTIONS, QUESTIONS[:2]))
            for question in questions
        ]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=1e-4)


def test_logits_are_those_of_the_whole_model(checkpoint: Checkpoint) -> None:
    """The parts put together here, and transformers' own model on a prompt with pixels."""
    torch.manual_seed(7)
    net = model().eval()
    pixels = prepare(np.random.default_rng(1).integers(0, 256, (1, 112, 112), np.uint8))
    batch = writer().write([QUESTIONS], [False])
    with torch.no_grad():
        whole = net(input_ids=batch.tokens, pixel_values=pixels).logits
        net.set_attn_implementation({"vision_config": "eager", "text_config": "grouped"})
        ours = answers(net, features(net.model.vision_tower, pixels), batch)
    torch.testing.assert_close(ours, whole[batch.targets != IGNORED], rtol=1e-4, atol=1e-4)


def test_grouped_attention_is_attention() -> None:
    torch.manual_seed(8)
    query, key, value = torch.randn(2, 8, 5, 16), torch.randn(2, 2, 5, 16), torch.randn(2, 2, 5, 16)
    mask = torch.randn(2, 1, 5, 5)
    ours, _ = grouped_attention(torch.nn.Identity(), query, key, value, mask, 0.25)
    theirs = torch.nn.functional.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, scale=0.25, enable_gqa=True
    )
    torch.testing.assert_close(ours, theirs.transpose(1, 2))
