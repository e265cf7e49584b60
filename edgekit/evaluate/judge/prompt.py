"""What a judge is asked: two answers to a question about a figure, side by side, in one order or the other.

The protocol is that of LLaVA-Med's evaluation (Li et al. 2023, its Table 2): the judge reads the figure's caption and
what the article says of it, and scores two assistants from 1 to 10. The words are EdgeKit's own, so figures compare
with each other, and with published ones as far as two judges agree.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, TypeAlias

from edgekit.evaluate.judge.figures import Figure
from edgekit.vqa.item import Id, Item

Order: TypeAlias = Literal["reference-first", "ours-first"]
"""Whose answer is Assistant 1's; the first is the protocol's."""

ORDERS: tuple[Order, Order] = ("reference-first", "ours-first")
LOWEST, HIGHEST = 1, 10

_SYSTEM = (
    "You grade answers to questions about figures from medical articles. You can't see the figure: take its caption "
    "and what the article says of it as the truth, and grade two assistants' answers against that."
)
_TASK = (
    "Rate how helpful, relevant, accurate and detailed each answer is, by one overall score from "
    f"{LOWEST} (worst) to {HIGHEST} (best) for each assistant. Which of them comes first must make no difference.\n"
    "Your first line holds nothing but the two scores, Assistant 1's and then Assistant 2's, with a blank between "
    "them. Give your reasons from the second line on, in a few sentences."
)


@dataclass(frozen=True)
class Request:
    """Two answers to the question ``question_id``, to be scored in an ``order``: what a judge is told."""

    question_id: Id
    order: Order
    system: str
    user: str

    def digest(self, url: str, model: str) -> str:
        """Return SHA-256 in hex of who is asked and what: the same request is made once."""
        asked = json.dumps([url, model, self.system, self.user, self.order])  # in ASCII, whatever an answer holds
        return sha256(asked.encode("ascii")).hexdigest()


def request(item: Item, figure: Figure, text: str, order: Order) -> Request:
    """Return what a judge is asked of ``text``, our answer to a question, beside the set's own."""
    answers = (item.answer, text) if order == "reference-first" else (text, item.answer)
    parts = [
        ("Caption of the figure", figure.caption),
        ("What the article says of the figure", "\n".join(figure.mentions)),
        ("Question", item.question),
        ("Answer of Assistant 1", answers[0]),
        ("Answer of Assistant 2", answers[1]),
        ("Your task", _TASK),
    ]
    return Request(item.id, order, _SYSTEM, "\n\n".join(f"## {title}\n{text or '(none)'}" for title, text in parts))
