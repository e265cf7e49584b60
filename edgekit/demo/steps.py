"""The whole way on this machine with the embedded model: from its checkpoint to a bundle, and to answers.

Every step yields what came of it as soon as it is known, so that whoever shows it has something to show. The steps are
those of a real model, and nothing is written outside of one folder.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from edgekit import config
from edgekit.bundle import Bundle
from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.open import open_checkpoint
from edgekit.engines.verify import verify_everything
from edgekit.errors import ConfigError, GateRefused
from edgekit.evaluate.phantoms import ScoredAnswer, evaluate, questions
from edgekit.evaluate.share import Share
from edgekit.files import write_bytes
from edgekit.phantom import Asked, ask, draw, scene
from edgekit.phantom.embedded import NOTICE, embedded
from edgekit.phantom.questions import Form
from edgekit.pipeline import build
from edgekit.plan.components import weight_bytes
from edgekit.profile.glance import Glance, glance
from edgekit.progress import Progress, silent
from edgekit.recipe import Recipe, recipe
from edgekit.runtime.model import Model
from edgekit.target import target

STEPS = ("plan", "build", "check", "profile", "ask")
TARGET = "cpu"
RECIPES = ("fp16", "q8", "q4")
CHECK = 60
"""Questions of the check: six about each of ten phantoms."""
LEAST = 0.8
"""The share of right answers below which the demo refuses to go on: some way below what any shipped recipe gives."""
SEED = 11_000_288
"""The phantom that is shown: the first of the test split with a big heart and an effusion, as a failing heart has."""
TOPICS = ("heart", "where", "description")


@dataclass(frozen=True)
class Planned:
    """The model, and the bytes that each part's weights take in a bundle, per recipe."""

    source: str
    parameters: int
    weights: dict[str, dict[str, int]]


@dataclass(frozen=True, kw_only=True)
class DemoBundle:
    """A demo's bundle is sealed, compiled where this machine can, and every file's hash compared.

    * ``bundle``: its path
    * ``recipe``, ``target``: their names
    * ``bytes``, ``files``: of all that was sealed
    * ``compiled``: whether this machine has a form of its own
    * ``seconds``: what all of it took
    """

    bundle: str
    recipe: str
    target: str
    bytes: int
    files: int
    compiled: bool
    seconds: float


@dataclass(frozen=True)
class DemoScores:
    """Right answers about phantoms that the model was not trained on, per form of question; and the seconds it took."""

    forms: dict[Form, Share]
    seconds: float

    @property
    def all(self) -> Share:
        """Right answers of every form together."""
        shares = self.forms.values()
        return Share(sum(share.right for share in shares), sum(share.total for share in shares))


@dataclass(frozen=True)
class Shown:
    """A phantom's picture file and what was asked about it: a closed question, an open one, a description."""

    image: str
    answers: tuple[ScoredAnswer, ...]


Step: TypeAlias = Planned | DemoBundle | DemoScores | Glance | Shown


def demo(precision: Recipe, out: Path, progress: Progress = silent) -> Iterator[Step]:
    """Do what :data:`STEPS` says, and yield what came of each; ``out`` then holds the bundle and a phantom's picture.

    A bundle that an earlier run left there makes way when the new one is sealed.
    :class:`~edgekit.errors.EdgeKitError` as of the steps, and where ``out`` can't be written;
    :class:`~edgekit.errors.GateRefused` where the answers are wrong.
    """
    _require_writable(out)
    source = open_checkpoint(embedded())
    yield _plan(source)
    bundle, built = _build(source.path, precision, out, progress)
    yield built
    image = out / "phantom.png"
    write_bytes(image, _png())
    with Model.open(bundle.path, bundle.manifest.target.slots) as model:
        checked = _check(model)
        yield checked
        require_right(checked)
        asked = about_one()
        yield glance(bundle.path, asked[-1].question.text, image)
        yield Shown(str(image), evaluate(model, asked).rows)


def document(steps: Sequence[Step]) -> dict[str, Any]:
    """Return what came of every step as JSON has it, with the model's notice."""
    return {**{name: config.dump(step) for name, step in zip(STEPS, steps, strict=True)}, "notice": NOTICE}


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


def _build(checkpoint: Path, precision: Recipe, out: Path, progress: Progress) -> tuple[Bundle, DemoBundle]:
    began = time.perf_counter()
    built = build(checkpoint, target(TARGET), precision, out / precision.name, progress=progress)
    verify_everything(built.bundle, progress)
    seconds = time.perf_counter() - began
    bundle = built.bundle
    return bundle, DemoBundle(
        bundle=str(bundle.path),
        recipe=precision.name,
        target=TARGET,
        bytes=bundle.bytes,
        files=len(bundle.manifest.files),
        compiled=built.compiled,
        seconds=seconds,
    )


def _check(model: Model) -> DemoScores:
    began = time.perf_counter()
    scores = evaluate(model, questions(CHECK))
    return DemoScores(scores.forms, time.perf_counter() - began)


def require_right(checked: DemoScores) -> None:
    """Raise :class:`GateRefused` where too few answers are right for the model to have survived the way."""
    right, total = checked.all.right, checked.all.total
    if right < LEAST * total:
        raise GateRefused(
            f"Only {right} of {total} answers are right, and {LEAST:.0%} at least should be",
            "Try a finer recipe (--recipe q8). If that one fails, too, this machine computes wrongly: send us what\n"
            "`edgekit doctor --json` says.",
        )


def about_one() -> list[Asked]:
    """Ask the questions of ``TOPICS`` about the phantom that is shown."""
    shown = scene(SEED)
    every = ask(shown, np.random.default_rng(0))
    return [Asked(shown, next(question for question in every if question.topic == topic)) for topic in TOPICS]


def _png() -> bytes:
    data = io.BytesIO()
    draw(scene(SEED)).save(data, "PNG")
    return data.getvalue()
