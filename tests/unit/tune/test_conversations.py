"""Many questions in one sequence against each of them in a prompt of its own, as the runtime writes it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.open import open_checkpoint
from edgekit.inputs.images import Picture
from edgekit.inputs.prompt import Prompt, TextPiece, Turn, build
from edgekit.phantom import Question, draw, scene
from edgekit.phantom.questions import ask
from edgekit.tune.answers import answers, grouped_attention
from edgekit.tune.conversations import IGNORED, Batch, ConversationWriter
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


def prompted(checkpoint: Checkpoint, *turns: Turn) -> list[int]:
    """The token ids of a prompt as the runtime builds it, its pictures as so many image tokens."""
    prompt: Prompt = build(checkpoint.spec, Tokenizer.from_str(checkpoint.tokenizer_json), turns)
    ids: list[int] = []
    for piece in prompt.pieces:
        ids += list(piece.ids) if isinstance(piece, TextPiece) else [IMAGE_TOKEN] * PATCHES
    return ids


def tokens_of(batch: Batch, row: int, turn: int) -> list[int]:
    """What the last token of a turn sees, in the order of its positions."""
    last = int(torch.nonzero(batch.turns[row] == turn)[-1])
    seen = torch.nonzero(batch.seen[row, 0, last])[:, 0]
    order = batch.positions[row, seen].argsort()
    assert batch.positions[row, seen][order].tolist() == list(range(len(seen)))
    ids: list[int] = batch.tokens[row, seen][order].tolist()
    return ids


def test_a_question_alone_is_the_prompt_of_a_first_turn(checkpoint: Checkpoint) -> None:
    picture = Picture(draw(scene(3)).convert("RGB"), "3")
    batch = writer().write([QUESTIONS], [True])
    for turn, question in enumerate(QUESTIONS, start=1):
        expected = prompted(checkpoint, Turn(question.text, images=(picture,)))
        answer = TOKENIZER.encode(question.answer + "<|im_end|>").ids
        assert tokens_of(batch, 0, turn) == expected + answer
        heard = batch.targets[0][(batch.turns[0] == turn) & (batch.targets[0] != IGNORED)]
        assert heard.tolist() == answer


def test_a_conversation_is_the_prompt_of_all_its_turns(checkpoint: Checkpoint) -> None:
    picture = Picture(draw(scene(3)).convert("RGB"), "3")
    batch = writer().write([QUESTIONS], [False])
    first = Turn(QUESTIONS[0].text, images=(picture,), answer=QUESTIONS[0].answer)
    second = Turn(QUESTIONS[1].text, answer=QUESTIONS[1].answer)
    expected = prompted(checkpoint, first, second, Turn(QUESTIONS[2].text))
    assert tokens_of(batch, 0, 3) == expected + TOKENIZER.encode(QUESTIONS[2].answer + "<|im_end|>").ids


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


def test_questions_are_chosen_from_every_topic_before_any_twice() -> None:
    rng = np.random.default_rng(0)
    for seed in range(30):
        every = ask(scene(seed), np.random.default_rng(seed))
        topics = {question.topic for question in every}
        batch = writer(len(topics)).batch([scene(seed)], rng)
        assert int(batch.turns.max()) == len(topics)


def test_padding_is_no_turn_and_no_target() -> None:
    batch = writer().write([QUESTIONS, QUESTIONS[:1]], [True, False])
    padding = batch.turns[1] == -1
    assert padding.any()
    assert (batch.targets[1][padding] == IGNORED).all()
    assert not batch.seen[1, 0][~padding][:, padding].any()
