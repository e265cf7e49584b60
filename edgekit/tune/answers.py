"""Second stage of the embedded model: tower, projector and language model together learn to answer.

The tower goes on saying what lies where while it does, so that it does not forget.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional
from transformers import AttentionInterface, LlavaForConditionalGeneration

from edgekit.phantom.scene import Scene
from edgekit.phantom.split import Asked
from edgekit.tune.conversations import IGNORED, Batch, ConversationWriter
from edgekit.tune.schedule import Schedule, minimise
from edgekit.tune.small import PATCHES
from edgekit.tune.tower import TowerLabels, features, prepare, varied

_LABELS = 0.2  # how much the tower's own lesson counts beside the answers
_TOWER = 0.2  # its share of the learning rate: it has learnt already


def grouped_attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor, scaling: float, **_: object
) -> tuple[Tensor, None]:
    """Attend with keys that are not repeated for the query heads that share them: a third of the stock one's time.

    ``query`` [rows, heads, length, head_dim], ``key`` and ``value`` [rows, kv_heads, length, head_dim], ``mask``
    [rows, 1, length, length], added; returns [rows, length, heads, head_dim].
    """
    rows, heads, length, width = query.shape
    kv_heads = key.shape[1]
    grouped = query.reshape(rows, kv_heads, -1, width)
    scores = (grouped @ key.transpose(2, 3)).view(rows, heads, length, length)
    weights = functional.softmax(scores * scaling + mask, dim=-1)
    mixed = weights.view(rows, kv_heads, -1, length) @ value
    return mixed.view(rows, heads, length, width).transpose(1, 2), None


AttentionInterface.register("grouped", grouped_attention)


def train_answers(
    net: LlavaForConditionalGeneration,
    labels: TowerLabels,
    tokenizer: Tokenizer,
    scenes: Sequence[Scene],
    pictures: NDArray[np.uint8],
    schedule: Schedule,
    questions: int,
) -> Iterator[float]:
    """Train the whole of ``net`` in place, ``questions`` on each picture; yields the loss of every step."""
    writer = ConversationWriter(tokenizer, net.config.image_token_id, labels.patches, questions)

    def losses(rng: torch.Generator) -> Iterator[Tensor]:
        words = np.random.default_rng(schedule.seed)
        while True:
            for chosen in torch.randperm(len(pictures), generator=rng).split(schedule.batch):
                pixels = varied(prepare(pictures[chosen.numpy()]), rng)
                batch = writer.batch([scenes[index] for index in chosen.tolist()], words)
                patches = features(net.model.vision_tower, pixels)
                logits = answers(net, patches, batch)
                heard = batch.targets[batch.targets != IGNORED]
                yield functional.cross_entropy(logits.float(), heard) + _LABELS * labels.loss(patches, chosen)

    parts = {net.model.vision_tower: _TOWER, net.model.multi_modal_projector: 1.0, net.model.language_model: 1.0}
    return minimise({**parts, net.lm_head: 1.0, labels: _TOWER}, losses, schedule)


def answers(net: LlavaForConditionalGeneration, patches: Tensor, batch: Batch) -> Tensor:
    """Return the logits where an assistant speaks: [tokens, vocabulary]."""
    inner: nn.Module = net.model
    embeds = inner.language_model.embed_tokens(batch.tokens).clone()
    embeds[:, batch.image] = inner.multi_modal_projector(patches)
    unseen = torch.zeros(batch.seen.shape, dtype=embeds.dtype).masked_fill_(~batch.seen, -1e9)
    states = inner.language_model(
        inputs_embeds=embeds, attention_mask=unseen, position_ids=batch.positions, use_cache=False
    ).last_hidden_state
    logits = net.lm_head(states[batch.targets != IGNORED])
    assert isinstance(logits, Tensor)
    return logits


@torch.no_grad()
def accuracy(
    net: LlavaForConditionalGeneration, tokenizer: Tokenizer, asked: Sequence[Asked], pictures: NDArray[np.uint8]
) -> dict[str, float]:
    """Return the share of questions of each form that greedy decoding answers to the letter, asked alone.

    A token that is likeliest after all right ones before it is the one that greedy decoding takes, so one pass says
    it. ``pictures`` are those of the scenes of ``asked``, in order and each once.
    """
    writer = ConversationWriter(tokenizer, net.config.image_token_id, PATCHES, 0)
    rows = [[each.question for each in group] for _, group in groupby(asked, key=lambda each: each.scene)]
    right: dict[str, list[bool]] = {}
    for start in range(0, len(rows), 50):
        some = rows[start : start + 50]
        batch = writer.write(some, [True] * len(some))
        patches = features(net.model.vision_tower, prepare(pictures[start : start + 50]))
        heard = batch.targets != IGNORED
        hit = torch.ones(batch.targets.shape, dtype=torch.bool)
        hit[heard] = answers(net, patches, batch).argmax(-1) == batch.targets[heard]
        for row, questions in enumerate(some):
            for turn, question in enumerate(questions, start=1):
                right.setdefault(question.form, []).append(bool(hit[row][batch.turns[row] == turn].all()))
    return {form: sum(hits) / len(hits) for form, hits in right.items()}
