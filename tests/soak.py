"""A small service's days in minutes: one engine, several slots, questions that come, go, are withdrawn and come again.

    python -m tests.soak BUNDLE SECONDS

Questions about phantoms come alone, drawn by a seed, or as a conversation's turns; some are cancelled on the way and
asked again. More pictures come than are remembered. Memory is looked at all the time; at the end a fresh engine gives
every answer again. Prints one JSON document.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from edgekit.bundle import Bundle, open_bundle
from edgekit.engines.open import open_engine
from edgekit.evaluate.phantoms import questions
from edgekit.inputs.images import Picture
from edgekit.inputs.prompt import Turn
from edgekit.machine.memory import memory
from edgekit.phantom import draw
from edgekit.runtime import Finished, SamplingParams, Sequence
from edgekit.runtime.generator import Generator
from edgekit.runtime.model import Model, open_tokenizer
from edgekit.units import KIB

SLOTS, PICTURES = 4, 48
IMAGE_CACHE_BYTES = 512 * KIB
"""Of ten pictures, so that they come and go."""
LOOKS = 100
"""Times at which memory is looked at."""
_GREEDY = SamplingParams(max_tokens=48)
_DRAWN = SamplingParams(max_tokens=24, temperature=1.0, top_p=0.95, seed=7)


@dataclass(frozen=True)
class Talk:
    """Questions about one picture, one behind the other; each sees the answers before it."""

    picture: Picture
    questions: tuple[str, ...]
    params: SamplingParams = _GREEDY


@dataclass
class Visit:
    """A talk that goes on: what was answered so far, and the request that runs. ``patience``: steps until that is
    withdrawn, to be asked again; None where it isn't."""

    talk: int
    answers: list[str]
    sequence: Sequence
    patience: int | None


@dataclass(frozen=True, kw_only=True)
class Soaked:
    """What came of it.

    * ``answers``, ``cancelled``: requests that ended so; ``reused_tokens``: those that slots still held
    * ``changed``: talks that answered otherwise than before, or than a fresh engine does
    * ``settling_bytes``: the most own memory until ``settling_s``; ``later_bytes``: the most after it
    """

    seconds: float
    settling_s: float
    answers: int
    cancelled: int
    reused_tokens: int
    changed: list[str]
    settling_bytes: int
    later_bytes: int

    @property
    def growth_bytes(self) -> int:
        return self.later_bytes - self.settling_bytes


@dataclass
class Service:
    """Keeps twice as many requests in flight as there are slots, and every answer that it gave to a talk."""

    model: Model
    talks: list[Talk]
    random: random.Random = field(default_factory=lambda: random.Random(5))
    visits: dict[Sequence, Visit] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    replies: dict[int, set[tuple[str, ...]]] = field(default_factory=dict)

    def step(self, *, more: bool) -> None:
        """Let talks begin (``more``), run a step, and see what ended."""
        while more and len(self.visits) < 2 * SLOTS:
            self._ask(self.random.randrange(len(self.talks)), [])
        for event in self.model.generator.step():
            if isinstance(event, Finished):
                self._finished(event)
        for visit in list(self.visits.values()):
            if visit.patience is not None:
                visit.patience -= 1
                if visit.patience < 0:
                    visit.patience = None
                    self.model.generator.cancel(visit.sequence)

    def _ask(self, number: int, answers: list[str], *, again: bool = False) -> None:
        patience = self.random.randrange(12) if not again and self.random.random() < 0.2 else None
        talk = self.talks[number]
        prompt = self.model.prompt(turns(talk, answers))
        sequence = self.model.generator.submit(prompt, talk.params)
        self.visits[sequence] = Visit(number, answers, sequence, patience)

    def _finished(self, event: Finished) -> None:
        visit, completion = self.visits.pop(event.sequence), event.completion
        if completion.error is not None:
            raise completion.error
        self.counts[completion.reason] += 1
        self.counts["reused"] += completion.reused_tokens
        if completion.reason == "cancelled":
            self._ask(visit.talk, visit.answers, again=True)
            return
        answers = [*visit.answers, completion.text]
        if len(answers) < len(self.talks[visit.talk].questions):
            self._ask(visit.talk, answers)
        else:
            self.replies.setdefault(visit.talk, set()).add(tuple(answers))


def turns(talk: Talk, answers: list[str]) -> list[Turn]:
    """Write down a talk up to the question that comes next."""
    asked = talk.questions[: len(answers) + 1]
    said = [*answers, None]
    return [
        Turn(question, answer, images=(talk.picture,) if index == 0 else ())
        for index, (question, answer) in enumerate(zip(asked, said, strict=True))
    ]


def talks(pictures: int) -> list[Talk]:
    """Every question about so many pictures alone; of each picture one question drawn, and four as a conversation."""
    every: list[Talk] = []
    for number, (scene, group) in enumerate(groupby(questions(6 * pictures), key=attrgetter("scene"))):
        picture, texts = Picture.of(draw(scene)), tuple(asked.question.text for asked in group)
        every += [Talk(picture, (text,)) for text in texts]
        every += [Talk(picture, texts[number % 3 : number % 3 + 1], _DRAWN), Talk(picture, texts[:4])]
    return every


def opened(bundle: Bundle) -> Model:
    """Open ``bundle`` with several slots, and memory for few pictures."""
    engine, tokenizer = open_engine(bundle, SLOTS), open_tokenizer(bundle)
    generator = Generator(engine, tokenizer, bundle.manifest.spec, image_cache_bytes=IMAGE_CACHE_BYTES)
    return Model(bundle, tokenizer, engine, generator)


def soak(path: Path, seconds: float, pictures: int = PICTURES) -> Soaked:
    """Let the bundle at ``path`` answer for so many seconds; its memory has a tenth of them, and at least two, to
    settle."""
    bundle, every = open_bundle(path), talks(pictures)
    settling_s = max(seconds / 10, min(2.0, seconds / 2))
    looks: list[tuple[float, int]] = []
    with opened(bundle) as model:
        service, started = Service(model, every), time.perf_counter()
        while (now := time.perf_counter() - started) < seconds:
            if now >= len(looks) * seconds / LOOKS:
                looks.append((now, memory().own_bytes))
            service.step(more=True)
        while model.generator.busy or service.visits:
            service.step(more=False)
        looks.append((time.perf_counter() - started, memory().own_bytes))
    counts = service.counts
    return Soaked(
        seconds=looks[-1][0],
        settling_s=settling_s,
        answers=counts["stop"] + counts["length"],
        cancelled=counts["cancelled"],
        reused_tokens=counts["reused"],
        changed=list(_changed(bundle, every, service.replies)),
        settling_bytes=max(size for at, size in looks if at <= settling_s),
        later_bytes=max(size for at, size in looks if at > settling_s),
    )


def _changed(bundle: Bundle, every: list[Talk], replies: dict[int, set[tuple[str, ...]]]) -> Iterator[str]:
    """Every talk that was ever answered otherwise than by a fresh engine that has nothing else to do."""
    with opened(bundle) as model:
        for number, told in sorted(replies.items()):
            talk, answers = every[number], list[str]()
            for _ in talk.questions:
                (completion,) = model.generator.generate([model.prompt(turns(talk, answers))], talk.params)
                answers.append(completion.text)
            if told != {tuple(answers)}:
                yield f"{' '.join(talk.questions)} (talk {number}): {sorted(told)}, fresh {answers}"


if __name__ == "__main__":
    print(json.dumps(asdict(soak(Path(sys.argv[1]), float(sys.argv[2])))))
