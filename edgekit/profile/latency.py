"""How long answers take: every figure with its spread, after a warm-up.

Each is repeated for some seconds, three times at least; nothing is left over from one to the next (neither a picture
nor a prefix), except where that is what is measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from edgekit.inputs.prompt import Turn
from edgekit.profile.asking import QUESTIONS, answers, ask_about, fresh
from edgekit.profile.record import RowRate, Spread, Times
from edgekit.progress import Progress, silent
from edgekit.runtime.model import Model
from edgekit.runtime.sequence import Sequence as Answer

TOKENS = 64
SHORT = 16
LEAST, MOST = 3, 25


def repeated(measure: Callable[[int], float], seconds: float, clock: Callable[[], float] = time.perf_counter) -> Spread:
    """Call ``measure`` with 0, 1, 2, … for about so many seconds, at least three times; return its values' spread."""
    values: list[float] = []
    end = clock() + seconds
    while len(values) < LEAST or (len(values) < MOST and clock() < end):
        values.append(measure(len(values)))
    return Spread.of(values)


def times(model: Model, pictures: Sequence[Turn], seconds: float, progress: Progress = silent) -> Times:
    """Time answers about ``pictures`` (turns without an answer, each with one), in turn; ``seconds`` a figure."""
    ask_about(model, pictures[:1], SHORT)  # all is warm after this
    gaps: list[float] = []

    def picture(index: int) -> Turn:
        return pictures[index % len(pictures)]

    def first_token(index: int) -> float:
        first_ms, answer = timed_answer(model, [picture(index)])
        gaps.extend(1000 * (after - before) for before, after in zip(answer.times, answer.times[1:], strict=False))
        return first_ms

    figures: dict[str, Callable[[int], float]] = {
        "encode_ms": lambda index: _encode_ms(model, picture(index)),
        "first_token_ms": first_token,
        "second_turn_ms": _second_turns(model, picture(0)),
        "together_ms": lambda index: _together_ms(model, picture(index)),
    }
    spreads: dict[str, Spread] = {}
    for name, measure in figures.items():
        spreads[name] = repeated(measure, seconds)
        progress("times", len(spreads), len(figures))
    return Times(**spreads, inter_token_ms=Spread.of(gaps), together=_together(model))


def rates(model: Model, picture: Turn, seconds: float, progress: Progress = silent) -> tuple[RowRate, ...]:
    """Measure tokens per second of 1, 2, … as many rows as there are slots, behind a picture and a question each."""
    rates = []
    for rows in range(1, model.engine.slots + 1):
        rates.append(RowRate(rows, repeated(_rates(model, picture, rows), seconds)))
        progress("rows", rows, model.engine.slots)
    return tuple(rates)


def timed_answer(model: Model, turns: Sequence[Turn], tokens: int = TOKENS) -> tuple[float, Answer]:
    """Return the milliseconds from the question to the first token, writing the prompt included; and the answer."""
    began = time.perf_counter()
    prompt = model.prompt(turns)
    prompt_ms = 1000 * (time.perf_counter() - began)
    (answer,) = answers(fresh(model), [prompt], tokens)
    assert answer.completion
    return prompt_ms + answer.completion.first_token_ms, answer


def _encode_ms(model: Model, turn: Turn) -> float:
    (image,) = model.prompt([turn]).images
    pixels = image.pixels()[None]
    began = time.perf_counter()
    model.engine.encode(pixels)
    return 1000 * (time.perf_counter() - began)


def _second_turns(model: Model, turn: Turn) -> Callable[[int], float]:
    """A conversation goes on: the picture and what was said are in the slot already. Each call asks something else."""
    generator = fresh(model)
    (first,) = answers(generator, [model.prompt([turn])], SHORT)
    assert first.completion
    said = Turn(turn.question, first.completion.text, turn.images)

    def second_turn(index: int) -> float:
        began = time.perf_counter()
        prompt = model.prompt([said, Turn(f"{index}. {QUESTIONS[index % len(QUESTIONS)]}")])
        prompt_ms = 1000 * (time.perf_counter() - began)
        (second,) = answers(generator, [prompt], SHORT)
        assert second.completion
        return prompt_ms + second.completion.first_token_ms

    return second_turn


def _together(model: Model) -> int:
    return min(len(QUESTIONS), max(2, model.engine.slots))


def _together_ms(model: Model, turn: Turn) -> float:
    asked = [Turn(question, images=turn.images) for question in QUESTIONS[: _together(model)]]
    began = time.perf_counter()
    answers(fresh(model), [model.prompt([turn]) for turn in asked], SHORT)
    return 1000 * (time.perf_counter() - began)


def _rates(model: Model, turn: Turn, rows: int) -> Callable[[int], float]:
    """Rows that decode behind one picture, which the first of them has read."""
    generator = fresh(model)

    def rate(index: int) -> float:
        asked = [Turn(f"{index}.{row}. {QUESTIONS[row % len(QUESTIONS)]}", images=turn.images) for row in range(rows)]
        decoded = answers(generator, [model.prompt([turn]) for turn in asked], TOKENS)
        # While all rows decode: from the last one's first token to the first one's last.
        start, end = max(answer.times[0] for answer in decoded), min(answer.times[-1] for answer in decoded)
        count = sum(start < at <= end for answer in decoded for at in answer.times)
        return count / (end - start) if end > start else 0.0

    return rate
