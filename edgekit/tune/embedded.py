"""Make the embedded model from nothing: draw phantoms, train the tower, train the answers, write the checkpoint.

On two cores of a server processor this takes about forty minutes; the same seed gives the same model up to the
rounding of another number of threads. ``training.json`` beside the weights says what each stage had reached when.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import transformers

from edgekit import __version__
from edgekit.config.writing import write_json
from edgekit.files import new_directory
from edgekit.machine.system import architecture
from edgekit.phantom.split import balanced
from edgekit.progress import Progress, silent
from edgekit.tune.answers import accuracy, train_answers
from edgekit.tune.card import write_card
from edgekit.tune.pictures import pictures
from edgekit.tune.small import PATCH, SIZE, model, save, tokenizer
from edgekit.tune.tower import TowerLabels, label_accuracy, train_tower
from edgekit.tune.training import Curriculum, Training

_EVERY = 250  # steps between two points of the learning curve


@dataclass
class LearningCurve:
    """What was reached when: for every point ``stage``, ``step``, ``seconds``, ``loss`` and what was reached."""

    points: list[dict[str, float | str]]
    started: float

    def follow(
        self,
        stage: str,
        losses: Iterator[float],
        steps: int,
        measure: Callable[[], dict[str, float]],
        progress: Progress,
    ) -> None:
        """Take every step of a stage, and measure now and then."""
        since: list[float] = []
        for step, loss in enumerate(losses, start=1):
            since.append(loss)
            progress(stage, step, steps)
            if step % _EVERY == 0 or step == steps:
                seconds = round(time.monotonic() - self.started)
                reached = {name: round(value, 4) for name, value in measure().items()}
                mean = round(sum(since) / len(since), 4)
                self.points.append({"stage": stage, "step": step, "seconds": seconds, "loss": mean, **reached})
                since.clear()


def train_embedded(out: Path, plan: Curriculum, progress: Progress = silent) -> Training:
    """Train by ``plan`` and write the checkpoint to a new folder ``out``."""
    plan = replace(plan, tower=replace(plan.tower, seed=plan.seed), answers=replace(plan.answers, seed=plan.seed))
    with new_directory(out) as folder:
        curve = LearningCurve([], time.monotonic())
        torch.manual_seed(plan.seed)
        scenes, drawn = pictures("train", plan.pictures, SIZE, progress)
        unseen, unseen_drawn = pictures("validation", plan.validation, SIZE, progress)
        asked = list(balanced("validation", plan.validation))
        net, text = model(), tokenizer()
        net.set_attn_implementation({"vision_config": "eager", "text_config": "grouped"})
        tower = net.model.vision_tower
        labels = TowerLabels(net.config.vision_config.hidden_size, SIZE // PATCH, scenes)

        curve.follow(
            "tower",
            train_tower(tower, labels, drawn, plan.tower),
            plan.tower.steps,
            lambda: {"scenes": label_accuracy(tower, labels, unseen, unseen_drawn)},
            progress,
        )
        curve.follow(
            "answers",
            train_answers(net, labels, text, scenes, drawn, plan.answers, plan.questions),
            plan.answers.steps,
            lambda: accuracy(net, text, asked, unseen_drawn),
            progress,
        )
        save(net, text, folder)
        training = Training(
            curriculum=plan,
            seconds=round(time.monotonic() - curve.started),
            arch=architecture(),
            threads=torch.get_num_threads(),
            versions={"edgekit": __version__, "torch": torch.__version__, "transformers": transformers.__version__},
            curve=tuple(curve.points),
        )
        write_json(folder / "training.json", training.document(), "lines")
        write_card(folder, training)
    return training
