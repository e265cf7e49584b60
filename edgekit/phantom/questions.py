"""What can be asked about a scene, and the right answers.

Closed questions are answered by yes or no or by one of the two things that they name, open ones by a few words, and
a description by one sentence. Every topic is asked in several ways. Within a scene, questions with yes and with no
for an answer are about as many, so that a model can't do well by guessing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from edgekit.phantom import words
from edgekit.phantom.scene import DEVICES, KINDS, SIDES, ZONES, ZONES_OF, Kind, Scene, Side, Zone

T = TypeVar("T")

Form = Literal["closed", "open", "description"]


@dataclass(frozen=True)
class Question:
    """A question with its right answer; ``topic`` says what kind of thing it asks for."""

    form: Form
    topic: str
    text: str
    answer: str


def ask(scene: Scene, rng: np.random.Generator) -> list[Question]:
    """Return questions about ``scene`` on every topic that it has an answer to, in words chosen by ``rng``."""
    return [
        Question(form, topic, _pick(rng, phrasings).format(*blanks), answer)
        for topic, (form, phrasings, make) in _TOPICS.items()
        for blanks, answer in make(scene, rng)
    ]


def _pick(rng: np.random.Generator, items: Sequence[T]) -> T:
    return items[int(rng.integers(len(items)))]


def _noun(rng: np.random.Generator, kind: Kind) -> str:
    return _pick(rng, words.NOUNS[kind])


# What a topic yields: the words for the blanks in its phrasings, and the answer.
Answers = Iterator[tuple[tuple[str, ...], str]]


def _presence(scene: Scene, rng: np.random.Generator) -> Answers:
    """As many kinds that are there as kinds that are not; the heart has a topic of its own."""
    shown = [kind for kind in KINDS[1:] if scene.find(kind)]
    absent = [kind for kind in KINDS[1:] if not scene.find(kind)]
    for kind in shown:
        yield (words.a(_noun(rng, kind)),), "yes"
    for index in rng.permutation(len(absent))[: max(1, len(shown))]:
        yield (words.a(_noun(rng, absent[index])),), "no"


def _presence_on_side(scene: Scene, rng: np.random.Generator) -> Answers:
    """Yes; no because it is on the other side; no because it is nowhere."""
    shown = [finding for finding in scene.findings if finding.side]
    for finding in shown:
        noun, side = words.a(_noun(rng, finding.kind)), finding.side or "left"
        if rng.integers(3):
            yield (noun, side), "yes"
        else:
            yield (noun, _other(side)), "no"
    absent = [kind for kind in KINDS[1:] if not scene.find(kind)]
    if not shown or rng.integers(3) == 0:
        yield (words.a(_noun(rng, _pick(rng, absent))), _pick(rng, SIDES)), "no"


def _heart(scene: Scene, rng: np.random.Generator) -> Answers:
    yield (), "yes" if scene.find("heart") else "no"


def _heart_choice(scene: Scene, rng: np.random.Generator) -> Answers:
    yield (), "enlarged" if scene.find("heart") else "normal"


def _normal(scene: Scene, rng: np.random.Generator) -> Answers:
    yield (), "no" if scene.findings else "yes"


def _device(scene: Scene, rng: np.random.Generator) -> Answers:
    yield (), "yes" if any(scene.find(kind) for kind in DEVICES) else "no"


def _clear(scene: Scene, rng: np.random.Generator) -> Answers:
    """One zone that holds something and one that does not."""
    every = [(side, zone) for side in SIDES for zone in ZONES]
    for wanted, answer in ((False, "no"), (True, "yes")):
        zones = [place for place in every if (scene.at(*place) is None) == wanted]
        if zones:
            yield (words.zone(*_pick(rng, zones)),), answer


def _side(scene: Scene, rng: np.random.Generator) -> Answers:
    for finding in scene.findings:
        if finding.side:
            yield (_noun(rng, finding.kind),), finding.side


def _height(scene: Scene, rng: np.random.Generator) -> Answers:
    for kind in ("nodule", "consolidation"):
        if (finding := scene.find(kind)) and finding.zone:
            yield (kind,), finding.zone


def _either(scene: Scene, rng: np.random.Generator) -> Answers:
    """The two things that a question names, in either order: one lies in the zone, the other could."""
    for finding in scene.findings:
        if finding.side and finding.zone:
            others = [kind for kind in KINDS[1:] if finding.zone in ZONES_OF[kind] and not scene.find(kind)]
            pair = [words.name(finding.kind), words.name(_pick(rng, others))]
            if rng.integers(2):
                pair.reverse()
            yield (words.zone(finding.side, finding.zone), *pair), words.name(finding.kind)


def _where(scene: Scene, rng: np.random.Generator) -> Answers:
    for finding in scene.findings:
        if finding.side:
            yield (_noun(rng, finding.kind),), words.place(finding)


def _what(scene: Scene, rng: np.random.Generator) -> Answers:
    """What lies in each zone that holds something, and one that holds nothing."""
    empty: list[tuple[Side, Zone]] = []
    for side in SIDES:
        for zone in ZONES:
            if finding := scene.at(side, zone):
                yield (words.zone(side, zone),), words.name(finding.kind)
            else:
                empty.append((side, zone))
    yield (words.zone(*_pick(rng, empty)),), "nothing"


def _on_side(scene: Scene, rng: np.random.Generator) -> Answers:
    for side in SIDES:
        yield (side,), words.listed([words.name(finding.kind) for finding in scene.on(side)])


def _count(scene: Scene, rng: np.random.Generator) -> Answers:
    yield (), words.NUMBERS[len(scene.findings)]


def _which_device(scene: Scene, rng: np.random.Generator) -> Answers:
    yield (), words.listed([words.name(kind) for kind in DEVICES if scene.find(kind)])


def _describe(scene: Scene, rng: np.random.Generator) -> Answers:
    yield (), words.description(scene.findings)


_TOPICS: dict[str, tuple[Form, tuple[str, ...], Callable[[Scene, np.random.Generator], Answers]]] = {
    "presence": (
        "closed",
        ("Is there {}?", "Does the image show {}?", "Can you see {}?", "Is {} visible?", "Does this patient have {}?"),
        _presence,
    ),
    "presence on a side": (
        "closed",
        ("Is there {} on the {}?", "Do you see {} on the {} side?", "Is {} visible on the {}?"),
        _presence_on_side,
    ),
    "heart": (
        "closed",
        (
            "Is the heart enlarged?",
            "Is there cardiomegaly?",
            "Is the heart too big?",
            "Does the image show cardiomegaly?",
        ),
        _heart,
    ),
    "heart, normal or enlarged": (
        "closed",
        ("Is the heart normal or enlarged?", "Is the heart enlarged or normal?", "Heart size: normal or enlarged?"),
        _heart_choice,
    ),
    "normal": (
        "closed",
        ("Is this image normal?", "Is the image normal?", "Is this a normal radiograph?", "Is the patient healthy?"),
        _normal,
    ),
    "device": (
        "closed",
        ("Is there a device?", "Does the image show a device?", "Is a medical device visible?"),
        _device,
    ),
    "clear zone": (
        "closed",
        ("Is the {} clear?", "Is the {} normal?", "Is the {} free of findings?"),
        _clear,
    ),
    "left or right": (
        "closed",
        ("Is the {} on the left or on the right?", "Is the {} on the right or on the left?", "Left or right: the {}?"),
        _side,
    ),
    "upper or lower": (
        "closed",
        ("Is the {} in the upper or in the lower zone?", "Is the {} in the lower or the upper zone?"),
        _height,
    ),
    "one or the other": (
        "closed",
        ("Is the finding in the {} {} or {}?", "In the {}, do you see {} or {}?"),
        _either,
    ),
    "where": (
        "open",
        ("Where is the {}?", "Where do you see the {}?", "Where is the {} located?", "What is the location of the {}?"),
        _where,
    ),
    "what": (
        "open",
        ("What is in the {}?", "What do you see in the {}?", "What does the {} show?", "What is found in the {}?"),
        _what,
    ),
    "what on a side": (
        "open",
        ("What is on the {}?", "What do you see on the {} side?", "What is found on the {}?"),
        _on_side,
    ),
    "how many": (
        "open",
        ("How many findings are there?", "How many findings do you see?", "What is the number of findings?"),
        _count,
    ),
    "which device": (
        "open",
        ("What device is there?", "Which device do you see?", "What devices does the image show?"),
        _which_device,
    ),
    "description": (
        "description",
        (
            "Describe the image.",
            "Describe the findings.",
            "What does the image show?",
            "What do you see?",
            "Write a short report.",
            "Summarize the findings.",
        ),
        _describe,
    ),
}


def _other(side: Side) -> Side:
    return "right" if side == "left" else "left"
