"""A conversation as one text, by the pieces of a TemplateSpec."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from edgekit.checkpoint.spec import TemplateSpec

IMAGE = "<image>"


class Spoken(NamedTuple):
    """A question with the number of pictures before it, and its answer (None: still to come)."""

    question: str
    answer: str | None = None
    images: int = 0


def write(template: TemplateSpec, turns: Sequence[Spoken], system: str | None = None) -> str:
    """Return ``turns`` as ``template`` writes them, ``<image>`` standing for each picture.

    ``system`` is a caller's own system text, for templates that have a place for one.
    """
    text, inside = template.system, ""
    if system is not None:
        system = system.strip() if "system" in template.trim else system
        text = template.system_turn.format(system) if template.system_turn else text
        inside = template.system_inside.format(system)
    for at, turn in enumerate(turns):
        text += _question(template, turn, "" if at else inside)
        if turn.answer is None:
            text += template.opening
            continue
        answer = turn.answer.strip() if "answer" in template.trim else turn.answer
        text += template.past.format(answer) if template.past else template.opening + template.reply.format(answer)
    return text


def _question(template: TemplateSpec, turn: Spoken, inside: str) -> str:
    marker = template.image.replace(IMAGE, f"{template.image_before}{IMAGE}{template.image_after}")
    images = inside + marker * turn.images
    question = turn.question.strip() if "question" in template.trim else turn.question
    if turn.images and template.pictured:
        return template.pictured.format(images, question)
    return template.user.format((images + question).strip() if "turn" in template.trim else images + question)
