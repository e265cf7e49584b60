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
from edgekit.phantom import draw, scene
from edgekit.phantom.questions import ask
from edgekit.tune.conversations import IGNORED, Batch
from edgekit.tune.small import PATCHES, model, save
from tests.unit.tune.conftest import IMAGE_TOKEN, QUESTIONS, TOKENIZER, writer


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    torch.manual_seed(5)
    folder: Path = tmp_path_factory.mktemp("embedded") / "small"
    folder.mkdir()
    save(model(), TOKENIZER, folder)
    return open_checkpoint(folder)


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
