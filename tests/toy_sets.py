"""A small set of questions about pictures that are files, and toy bundles that answer it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgekit.bundle import Bundle
from edgekit.checkpoint.packed import Array
from edgekit.evaluate.asking import QuestionSet
from edgekit.evaluate.subjects import Subject, Subjects
from edgekit.runtime import Generator, SamplingParams
from edgekit.runtime.model import Model
from edgekit.vqa.dataset import Dataset
from edgekit.vqa.item import Item
from tests.fake_engine import FakeEngine, byte_tokenizer, fake_spec
from tests.question_sets import picture
from tests.specs import manifest

IMAGES = ("a.png", "b.png", "a.png", "c.png", "b.png", "a.png")


class Engine(FakeEngine):
    """As many rows per picture as the toy's description says."""

    def encode(self, pixels: npt.NDArray[np.float32]) -> Array:
        return super().encode(pixels)[:, : fake_spec().tokens_per_image]


@dataclass(frozen=True)
class ToySubject(Subject):
    """A bundle without files; ``opened`` has the slots that it was opened with, each time."""

    opened: list[int | None] = field(default_factory=list)

    def open(self, slots: int | None) -> Model:
        self.opened.append(slots)
        return toy_model(Engine(slots or 3, context=160), self.bundle)


def toy_model(engine: FakeEngine, bundle: Bundle | None = None) -> Model:
    """Open a toy; equal engines answer alike."""
    bundle = toy_bundle(engine.context) if bundle is None else bundle
    spec, tokenizer = bundle.manifest.spec, byte_tokenizer()
    return Model(bundle, tokenizer, engine, Generator(engine, tokenizer, spec))


def toy_bundle(context: int = 160, digest: str = "0" * 64) -> Bundle:
    """Return a bundle that has no files."""
    return Bundle(Path("toy"), manifest(spec=fake_spec(), context=context), digest)


def toys(*names: str) -> tuple[Subjects, dict[str, ToySubject]]:
    """Return toy bundles, each with a digest of its own, and the same by their names."""
    by_name = {name: ToySubject(name, toy_bundle(digest=name.encode().hex().ljust(64, "0"))) for name in names}
    return Subjects(names, lambda: iter(by_name.values())), by_name


def question_set(folder: Path, max_tokens: int = 12) -> QuestionSet:
    """Write three pictures, and return six questions about them, none about the same beside each other."""
    for number, name in enumerate(sorted(set(IMAGES))):
        picture(folder / name, number)
    items = tuple(
        Item(
            id=number if number % 2 else f"q{number}",
            question=f"Is it {number}?",
            images=(image,),
            answer="no" if number < 4 else "left lung",
            closed=number < 4,
        )
        for number, image in enumerate(IMAGES)
    )
    dataset = Dataset(title="Toy", form="llava", split="test", source=folder / "q.json", folder=folder, items=items)
    return QuestionSet(dataset=dataset, params=SamplingParams(max_tokens=max_tokens))
