"""The whole way on this machine with the embedded model: from its checkpoint to a bundle, and to answers.

Every step yields what came of it as soon as it is known, so that whoever shows it has something to show. The steps are
those of a real model, and nothing is written outside of one folder.
"""

from __future__ import annotations

import io
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from edgekit.bundle import Bundle, verify
from edgekit.checkpoint import open_checkpoint
from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.errors import ConfigError
from edgekit.evaluate.phantoms import correct
from edgekit.files import write_bytes
from edgekit.inputs.images import Picture, load_image
from edgekit.inputs.prompt import Turn
from edgekit.phantom import Asked, Question, ask, balanced, draw, scene
from edgekit.phantom.embedded import embedded
from edgekit.pipeline import build
from edgekit.plan import weight_bytes
from edgekit.profile import Profile, profile
from edgekit.progress import Progress, silent
from edgekit.recipe import Recipe, recipe
from edgekit.runtime import SamplingParams
from edgekit.runtime.model import Model
from edgekit.target import target

TARGET = "cpu"
RECIPES = ("fp16", "q8", "q4")
CHECK_SCENES = 10
"""Phantoms of the check, with six questions each."""
SEED = 11_000_288
"""The phantom that is shown: the first of the test split with a big heart and an effusion, as a failing heart has."""
TOPICS = ("heart", "where", "description")
"""What is asked about it: a closed question, an open one, a description."""
_LONGEST = SamplingParams(max_tokens=64)


@dataclass(frozen=True)
class Planned:
    """The model, and the bytes that each part's weights take in a bundle, per recipe."""

    source: str
    parameters: int
    weights: dict[str, dict[str, int]]


@dataclass(frozen=True)
class Made:
    """The sealed bundle, compiled where this machine can, every file's hash compared; and the seconds it took."""

    bundle: str
    recipe: str
    target: str
    bytes: int
    files: int
    compiled: bool
    seconds: float


@dataclass(frozen=True)
class Checked:
    """Questions about phantoms that the model was not trained on, and right answers, per form of question."""

    asked: dict[str, int]
    right: dict[str, int]
    seconds: float


@dataclass(frozen=True)
class Answered:
    """A question about the phantom that is shown, what the model says, and what would be right."""

    question: str
    answer: str
    right_answer: str
    right: bool


@dataclass(frozen=True)
class Shown:
    """The phantom's picture file and what was asked about it."""

    image: str
    questions: tuple[Answered, ...]


Step: TypeAlias = Planned | Made | Checked | Profile | Shown


def demo(how: Recipe, out: Path, progress: Progress = silent) -> Iterator[Step]:
    """Plan, build, check, measure and ask, one step each; ``out`` then holds the bundle and a phantom's picture.

    A bundle that an earlier run left there makes way when the new one is sealed.
    :class:`~edgekit.errors.EdgeKitError` as of the steps, and where ``out`` can't be written.
    """
    _require_writable(out)
    source = open_checkpoint(embedded())
    yield _plan(source)
    bundle, made = _make(source.path, how, out, progress)
    yield made
    image = out / "phantom.png"
    write_bytes(image, _png())
    with Model.open(bundle.path, bundle.manifest.target.slots) as model:
        yield _check(model, balanced("test", CHECK_SCENES))
        questions = _questions()
        yield profile(bundle.path, questions[-1].text, image)
        yield Shown(str(image), tuple(_answers(model, questions, load_image(image))))


def _require_writable(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not os.access(out, os.W_OK | os.X_OK):
            raise PermissionError(None, "Permission denied")
    except OSError as error:
        raise ConfigError(
            f"{out} can't be written: {error.strerror}", "Give a folder that can: edgekit demo --out FOLDER"
        ) from error


def _plan(source: Checkpoint) -> Planned:
    parameters = sum(int(np.prod(tensor.shape)) for tensor in source.tensors.values())
    weights = {name: weight_bytes(source, recipe(name), activation_bytes=2) for name in RECIPES}
    return Planned(source.path.name, parameters, weights)


def _make(checkpoint: Path, how: Recipe, out: Path, progress: Progress) -> tuple[Bundle, Made]:
    began = time.perf_counter()
    built = build(checkpoint, target(TARGET), how, out / f"{checkpoint.name}-{TARGET}-{how.name}", progress=progress)
    verify(built.bundle, progress)
    seconds = time.perf_counter() - began
    bundle = built.bundle
    files = len(bundle.manifest.files)
    return bundle, Made(str(bundle.path), how.name, TARGET, bundle.bytes, files, built.compiled, seconds)


def _check(model: Model, questions: Iterator[Asked]) -> Checked:
    began = time.perf_counter()
    asked: Counter[str] = Counter()
    right: Counter[str] = Counter()
    known = list(questions)
    pictures = {seed: Picture.of(draw(scene(seed))) for seed in dict.fromkeys(one.scene.seed for one in known)}
    pairs = [(one.question, pictures[one.scene.seed]) for one in known]
    for (question, _), text in zip(pairs, _texts(model, pairs), strict=True):
        asked[question.form] += 1
        right[question.form] += correct(question, text)
    return Checked(dict(asked), dict(right), time.perf_counter() - began)


def _questions() -> list[Question]:
    """The questions of ``TOPICS`` about the phantom that is shown."""
    every = ask(scene(SEED), np.random.default_rng(0))
    return [next(question for question in every if question.topic == topic) for topic in TOPICS]


def _answers(model: Model, questions: Sequence[Question], picture: Picture) -> Iterator[Answered]:
    texts = _texts(model, [(question, picture) for question in questions])
    for question, text in zip(questions, texts, strict=True):
        yield Answered(question.text, text, question.answer, correct(question, text))


def _texts(model: Model, pairs: Sequence[tuple[Question, Picture]]) -> Iterator[str]:
    """The answers in order, several at a time; the first that fails raises its error."""
    prompts = (model.prompt([Turn(question.text, images=(picture,))]) for question, picture in pairs)
    for completion in model.generator.generate(prompts, _LONGEST):
        if completion.error is not None:
            raise completion.error
        yield completion.text


def _png() -> bytes:
    data = io.BytesIO()
    draw(scene(SEED)).save(data, "PNG")
    return data.getvalue()
