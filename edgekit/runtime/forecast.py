"""When a sequence that waits will be given a slot: its place, and how long that will take.

In: who runs and who waits, and what finished answers took. Out: the order in which those who wait are admitted if
nobody else comes, and the step at which each is. Both are had by playing the scheduler's own queue on, from one
admission to the next, with what is not known yet taken from what was seen: how many tokens an answer has, how much of a
prompt is reused, how long a step takes.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.runtime.lengths import AnswerLengths
from edgekit.runtime.scheduler import Scheduler
from edgekit.runtime.sequence import Reason, Sequence

FADE = 0.995
"""What a step's time still counts one step later: the last few hundred say how long the next ones take."""
FADE_PROMPT = 0.98
"""The same of a prompt, and how much of it was read."""


class Pace:
    """What was seen of answers so far: their tokens, how much of their prompts was read, and the time of a step."""

    def __init__(self) -> None:
        self._lengths = AnswerLengths()
        self._read = self._prompts = 0.0
        self._step = 0
        self._stamp: tuple[int, float] | None = None
        self._steps = self._seconds = 0.0

    @property
    def step_s(self) -> float | None:
        """Seconds that a step takes; None before that is known, or before an answer has ended."""
        return self._seconds / self._steps if self._steps and self._lengths else None

    def pause(self) -> None:
        """Nothing runs: the time until the next token is no step's."""
        self._stamp = None

    def step(self) -> None:
        """Count a step that begins."""
        self._step += 1

    def token(self, now: float) -> None:
        """Take note of a token that came in this step, at ``now``."""
        step, before = self._stamp or (self._step, now)
        if step < self._step:
            fade = FADE ** (self._step - step)
            self._steps = fade * self._steps + self._step - step
            self._seconds = fade * self._seconds + now - before
        if self._stamp is None or step < self._step:
            self._stamp = self._step, now

    def ended(self, sequence: Sequence, reason: Reason) -> None:
        """Take note of ``sequence``, which had a slot and ended for ``reason``."""
        self._lengths.add(len(sequence.times), cut=reason != "stop")
        self._read = FADE_PROMPT * self._read + sequence.prompt_tokens - sequence.reused
        self._prompts = FADE_PROMPT * self._prompts + sequence.prompt_tokens

    def left(self, sequence: Sequence) -> int:
        """Guess how many tokens ``sequence`` has yet to generate."""
        return self._lengths.left(len(sequence.times), sequence.max_tokens)

    def to_read(self, sequence: Sequence) -> int:
        """Guess how many tokens of ``sequence``'s prompt are read, not reused."""
        if sequence.slot is not None:
            return max(sequence.prompt_tokens - sequence.written, 0)
        share = self._read / self._prompts if self._prompts else 1.0
        return max(round(share * sequence.prompt_tokens), 1)


@dataclass(kw_only=True)
class Course:
    """A sequence that has a slot from step ``start`` on: it reads ``read`` tokens in chunks, and generates ``tokens``.

    The step that reads the prompt's last token generates the first one.
    """

    sequence: Sequence
    start: int
    read: int
    tokens: int
    chunk: int
    charged: tuple[int, int] = (0, 0)

    @property
    def reader_free(self) -> int:
        """The first step at which another prompt can be read."""
        return self.start - -self.read // self.chunk

    @property
    def end(self) -> int:
        """The first step at which its slot is idle again."""
        return self.reader_free + self.tokens - (self.read > 0)

    def charge(self, step: int) -> tuple[int, int]:
        """Return the tokens read and generated before ``step`` that were not returned yet."""
        read = min(self.read, (step - self.start) * self.chunk)
        generated = min(max(step - self.reader_free + (self.read > 0), 0), self.tokens)
        (read_before, generated_before), self.charged = self.charged, (read, generated)
        return read - read_before, generated - generated_before


def admissions(scheduler: Scheduler, pace: Pace) -> dict[Sequence, int]:
    """Return how many steps from now each sequence that waits is admitted, in that order, if nobody else comes."""

    def course(sequence: Sequence, step: int) -> Course:
        read, tokens = pace.to_read(sequence), pace.left(sequence)
        return Course(sequence=sequence, start=step, read=read, tokens=tokens, chunk=scheduler.chunk)

    queue, slots, steps = scheduler.waiting.copy(), len(scheduler.slots), dict[Sequence, int]()
    courses = [course(sequence, 0) for sequence in scheduler.running]
    step = max((running.reader_free for running in courses), default=0)
    while queue:
        others = slots - queue.idle_needed
        ends = sorted(running.end for running in courses)
        if len(ends) > others:
            step = max(step, ends[len(ends) - others - 1])
        for running in courses:
            queue.charge(running.sequence, *running.charge(step))
        courses = [running for running in courses if running.end > step]
        sequence = queue.pop()
        steps[sequence] = step
        courses.append(course(sequence, step))
        step = courses[-1].reader_free
    return steps


class Forecast:
    """Foresees ``scheduler``'s admissions; what it foresaw stands until a step runs, or one joins or leaves.

    So it is worked out once between two steps, however many are asked about, and never where nobody asks.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._pace = Pace()
        self._steps: dict[Sequence, int] | None = None
        self._places: dict[Sequence, int] = {}

    def place(self, sequence: Sequence) -> int:
        """Return 1 for the next to be admitted, 2 for the one after it, …; 0 for one that does not wait."""
        self._foresee()
        return self._places.get(sequence, 0)

    def wait_s(self, sequence: Sequence) -> float | None:
        """Return the seconds until ``sequence`` is admitted, 0 where it is; None before anything is known."""
        if sequence.state != "waiting":
            return 0.0
        step_s = self._pace.step_s
        return None if step_s is None else step_s * self._foresee()[sequence]

    def joining(self) -> None:
        """Another sequence is about to wait."""
        if not self._scheduler.busy:
            self._pace.pause()
        self._steps = None

    def step(self) -> None:
        """A step begins."""
        self._pace.step()
        self._steps = None

    def token(self, now: float) -> None:
        """A token came in this step, at ``now`` seconds."""
        self._pace.token(now)

    def ending(self, sequence: Sequence, reason: Reason) -> None:
        """``sequence`` is about to leave its slot or the queue."""
        if sequence.slot is not None:
            self._pace.ended(sequence, reason)
        self._steps = None

    def _foresee(self) -> dict[Sequence, int]:
        if self._steps is None:
            self._steps = admissions(self._scheduler, self._pace)
            self._places = {sequence: place for place, sequence in enumerate(self._steps, 1)}
        return self._steps
