"""Answers in company against answers alone and transformers' own model."""

from __future__ import annotations

import numpy as np
import torch

from edgekit.tune.answers import answers, grouped_attention
from edgekit.tune.conversations import IGNORED
from edgekit.tune.small import model
from edgekit.tune.tower import features, prepare
from tests.unit.tune.conftest import QUESTIONS, writer


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


def test_logits_are_those_of_the_whole_model() -> None:
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
