"""Phantoms as a set of questions like any other, but for its pictures: they are drawn, not read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from PIL import Image

from edgekit.batch.rows import Row
from edgekit.evaluate.asking import QuestionSet
from edgekit.inputs.images import Picture
from edgekit.phantom import Asked, Scene, draw
from edgekit.runtime.sampling import SamplingParams
from edgekit.vqa.dataset import Dataset
from edgekit.vqa.item import Item

_PARAMS = SamplingParams(max_tokens=48)  # the longest description takes about half of them
_PLACE = Path("phantoms")


class Drawn:
    """Pictures of phantoms by their names; a :class:`~edgekit.batch.pictures.Pictures`."""

    def __init__(self, asked: Sequence[Asked]) -> None:
        self._scenes = {_name(each.scene): each.scene for each in asked}

    def digests(self, row: Row) -> list[str]:
        """Return the digests of the pixels: there is no file."""
        return [self.picture(row, number).digest for number in range(len(row.images))]

    def picture(self, row: Row, number: int) -> Picture:
        """Draw a phantom."""
        return Picture.of(_drawn(self._scenes[row.images[number]]))


def phantom_set(asked: Sequence[Asked]) -> QuestionSet:
    """Return questions about phantoms as a set; an item's ``question_type`` is its topic, its id as in
    :mod:`~edgekit.phantom.folder`."""
    numbers: Counter[int] = Counter()
    items: list[Item] = []
    for each in asked:
        seed, question = each.scene.seed, each.question
        items.append(
            Item(
                id=100 * seed + numbers[seed],
                question=question.text,
                images=(_name(each.scene),),
                answer=question.answer,
                closed=question.form == "closed",
                question_type=question.topic,
                organ="CHEST",
            )
        )
        numbers[seed] += 1
    dataset = Dataset(title="Phantoms", form="phantoms", split="test", source=_PLACE, folder=_PLACE, items=tuple(items))
    return QuestionSet(dataset=dataset, pictures=Drawn(asked), params=_PARAMS)


def _name(scene: Scene) -> str:
    return f"phantom{scene.seed:08}"


@lru_cache(maxsize=512)  # 25 MB: the next model is asked about the same phantoms, and drawing one takes 30 ms
def _drawn(scene: Scene) -> Image.Image:
    return draw(scene)
