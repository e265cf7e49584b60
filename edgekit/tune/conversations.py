"""Many questions about one picture in one sequence, so that the picture is read once for all of them.

Half of the sequences are conversations: every turn sees those before it. In the others each question sees the
picture and itself alone, at the positions that it would have as the first turn: exactly what a model meets that is
asked one question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from edgekit.phantom.questions import Question, ask
from edgekit.phantom.scene import Scene

IGNORED = -100  # what a loss leaves out
_BEFORE, _AFTER_IMAGE, _TURN = "<|im_start|>user\n", "\n", "\n<|im_start|>user\n"


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Sequences of pictures and turns; the picture's tokens stand at ``image`` of every row.

    ``tokens``, ``positions``, ``targets`` (the next token where an assistant speaks, else :data:`IGNORED`), ``turns``
    (the turn that a token belongs to, from 1; the picture is 0 and padding -1): [rows, length]. ``seen``:
    [rows, 1, length, length], true where a position (the row) may see another (the column).
    """

    tokens: Tensor
    positions: Tensor
    targets: Tensor
    turns: Tensor
    seen: Tensor
    image: slice


@dataclass
class _Row:
    """One sequence while it grows; ``turn`` says which turn each token belongs to, 0 being the picture."""

    tokens: list[int]
    positions: list[int]
    spoken: list[bool]
    turn: list[int]

    def add(self, tokens: Sequence[int], turn: int, start: int, spoken: bool) -> None:
        self.tokens += tokens
        self.positions += range(start, start + len(tokens))
        self.spoken += [spoken] * len(tokens)
        self.turn += [turn] * len(tokens)


class ConversationWriter:
    """Writes scenes' questions as token sequences."""

    def __init__(self, tokenizer: Tokenizer, image_token: int, patches: int, questions: int) -> None:
        # The same few thousand texts come again and again.
        self._encode = lru_cache(1 << 16)(lambda text: tokenizer.encode(text).ids)
        self._questions = questions
        before, after = self._encode(_BEFORE), self._encode(_AFTER_IMAGE)
        self._picture = before + [image_token] * patches + after
        self._image = slice(len(before), len(before) + patches)

    def batch(self, scenes: Sequence[Scene], rng: np.random.Generator) -> Batch:
        """Write one row for each scene, of as many questions as the writer was made for, in words as people type
        them."""
        chosen = [self._choose(scene, rng) for scene in scenes]
        asked = [
            [replace(question, text=_as_typed(question.text, rng)) for question in questions] for questions in chosen
        ]
        return self.write(asked, rng.integers(2, size=len(scenes)).astype(bool).tolist())

    def write(self, rows: Sequence[Sequence[Question]], alone: Sequence[bool]) -> Batch:
        """Write one row for each picture's questions: a conversation, or each question ``alone``."""
        grown = [self._row(questions, lonely) for questions, lonely in zip(rows, alone, strict=True)]
        length = max(len(row.tokens) for row in grown)
        tokens, positions = torch.zeros(2, len(rows), length, dtype=torch.long)
        targets = torch.full((len(rows), length), IGNORED)
        turns = torch.full((len(rows), length), -1)  # padding belongs to none
        for index, row in enumerate(grown):
            size = len(row.tokens)
            tokens[index, :size], positions[index, :size] = torch.tensor(row.tokens), torch.tensor(row.positions)
            turns[index, :size] = torch.tensor(row.turn)
            following = [token if spoken else IGNORED for token, spoken in zip(row.tokens, row.spoken, strict=True)]
            targets[index, : size - 1] = torch.tensor(following[1:])
        same = turns[:, :, None] == turns[:, None, :]
        picture = (turns == 0)[:, None, :]
        lonely = torch.tensor(alone)[:, None, None]
        seen = torch.ones(length, length, dtype=torch.bool).tril() & (~lonely | same | picture)
        return Batch(
            tokens=tokens, positions=positions, targets=targets, turns=turns, seen=seen[:, None], image=self._image
        )

    def _row(self, questions: Sequence[Question], alone: bool) -> _Row:
        row = _Row([], [], [], [])
        row.add(self._picture, 0, 0, spoken=False)
        for turn, question in enumerate(questions, start=1):
            text = question.text + "<|im_end|>\n<|im_start|>assistant\n"
            if turn > 1 and not alone:
                text = _TURN + text
            asked, answered = self._encode(text), self._encode(question.answer + "<|im_end|>")
            start = len(self._picture) if alone else len(row.tokens)
            row.add(asked, turn, start, spoken=False)
            row.add(answered, turn, start + len(asked), spoken=True)
        return row

    def _choose(self, scene: Scene, rng: np.random.Generator) -> list[Question]:
        """Questions of different topics as far as there are, in any order."""
        every = ask(scene, rng)
        order = rng.permutation(len(every))
        times: dict[str, int] = {}
        ranked: list[tuple[int, int, Question]] = []
        for index in order:
            topic = every[index].topic
            times[topic] = times.get(topic, 0) + 1
            ranked.append((times[topic], len(ranked), every[index]))
        chosen = [question for _, _, question in sorted(ranked)[: self._questions]]
        return [chosen[index] for index in rng.permutation(len(chosen))]


def _as_typed(text: str, rng: np.random.Generator) -> str:
    """Now and then as people type: no capital, no question mark."""
    if rng.random() < 0.1:
        text = text[0].lower() + text[1:]
    return text.rstrip("?.") if rng.random() < 0.1 else text
