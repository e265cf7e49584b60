"""Which earlier turns the model is shown with a question: the same for the service as for who asks again later."""

from __future__ import annotations

from collections.abc import Sequence

from edgekit.ward.turns import Turn


def history(turns: Sequence[Turn], id: str) -> tuple[Turn, ...]:
    """Return the turns of a conversation that are shown to the model for turn ``id``, that one last.

    They are those before it with an answer: a whole one, or what had come of it when it was stopped. Nothing else of a
    conversation is shown.
    """
    asked = next(turn for turn in turns if turn.id == id)
    before = (turn for turn in turns if turn.number < asked.number)
    return (*filter(is_shown, before), asked)


def is_shown(turn: Turn) -> bool:
    """Say whether the model is shown a turn with later questions: one that has an answer."""
    return turn.state in ("whole", "stopped") and bool(turn.answer)
