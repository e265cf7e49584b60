"""The model card that travels with the embedded model: what it is, how it was made, what it must not be used for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edgekit.phantom.embedded import NOTICE
from edgekit.tune.training import Training

_CARD = """---
license: apache-2.0
intended_use: "{notice}"
---
# llava-phantom

A LLaVA of 4.7 million parameters (SigLIP tower, two linear layers, Llama decoder) that answers questions about
EdgeKit's phantom radiographs: synthetic pictures, drawn by the program, with findings in known places. It is there so
that a machine without a network has a model whose answers can be right or wrong. It knows nothing about real images.

{notice}

## How it was made

`edgekit tune embedded DIR` drew {pictures:,} phantoms, trained the vision tower alone on what lies in which zone
({tower_steps:,} steps of {tower_batch}), then everything together on {questions} questions a picture, half of the
sequences being conversations ({answers_steps:,} steps of {answers_batch}). It took {minutes} minutes on a machine with
{threads} threads ({machine}). `training.json` holds the plan and the whole learning curve.

On {validation} phantoms of the validation split, in percent of questions that greedy decoding answers to the letter:

{curve}
"""


def write_card(folder: Path, training: Training) -> None:
    """Write ``README.md`` about a training."""
    plan = training.curriculum
    text = _CARD.format(
        notice=NOTICE,
        pictures=plan.pictures,
        tower_steps=plan.tower.steps,
        tower_batch=plan.tower.batch,
        questions=plan.questions,
        answers_steps=plan.answers.steps,
        answers_batch=plan.answers.batch,
        minutes=round(training.seconds / 60),
        validation=plan.validation,
        curve=_table(training.curve),
        machine=training.arch,
        threads=training.threads,
    )
    (folder / "README.md").write_text(text, encoding="utf-8")


def _table(curve: Sequence[Mapping[str, Any]]) -> str:
    """Eight points at most of either stage; "scenes" are those of which the tower reads every zone and the heart."""
    columns = ("scenes", "closed", "open", "description")
    lines = [f"| stage | step | minutes | loss | {' | '.join(columns)} |", "|---|" + "---:|" * 7]
    for stage in ("tower", "answers"):
        points = [point for point in curve if point["stage"] == stage]
        every = max(1, -(-len(points) // 8))
        for point in points[::-1][::every][::-1]:
            reached = [f"{100 * point[name]:.1f}" if name in point else "" for name in columns]
            cells = (stage, f"{point['step']:,}", f"{point['seconds'] / 60:.1f}", f"{point['loss']:.3f}", *reached)
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
