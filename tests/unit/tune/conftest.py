"""What tests of training share: one thread, what ships, and a few questions as they are written for training."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from edgekit.phantom import Question
from edgekit.phantom.embedded import embedded
from edgekit.tune.conversations import ConversationWriter
from edgekit.tune.schedule import Schedule
from edgekit.tune.small import PATCHES, SPECIAL, tokenizer
from edgekit.tune.training import Curriculum, Training

QUESTIONS = [
    Question("closed", "presence", "Is there a nodule?", "no"),
    Question("description", "description", "what do you see", "There is an enlarged heart."),
    Question("open", "where", "Where is the nodule?", "in the left upper zone"),
]
TOKENIZER = tokenizer()
IMAGE_TOKEN = SPECIAL.index("<image>")


def writer(questions: int = 3) -> ConversationWriter:
    """Return what writes so many questions of a picture at most."""
    return ConversationWriter(TOKENIZER, IMAGE_TOKEN, PATCHES, questions)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """The same sums in the same order on every machine, and no threads that wait for each other on a busy one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    recorded: dict[str, Any] = json.loads((embedded() / "training.json").read_text(encoding="utf-8"))
    return recorded


@pytest.fixture(scope="module")
def training(shipped: dict[str, Any]) -> Training:
    stages = {stage: Schedule(**shipped["plan"][stage]) for stage in ("tower", "answers")}
    return Training(
        curriculum=Curriculum(**{**shipped["plan"], **stages}),
        seconds=shipped["seconds"],
        arch=shipped["machine"]["machine"],
        threads=shipped["machine"]["threads"],
        versions=shipped["versions"],
        curve=tuple(shipped["curve"]),
    )
