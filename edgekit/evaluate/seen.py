"""What a set's pictures are like to a bundle: by its record, a picture that is unlike all of them is known for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edgekit.batch.rows import Row
from edgekit.confidence.pictures import Features, KnownPictures, features_of
from edgekit.errors import EdgeKitError
from edgekit.evaluate.asking import QuestionSet
from edgekit.inputs.prompt import Turn
from edgekit.progress import Progress, silent
from edgekit.runtime.model import Model


def seen_pictures(bundle: Path, questions: QuestionSet, progress: Progress = silent) -> KnownPictures | None:
    """Look at every picture of a set once, and return what they are like; None where they are too few to say.

    A picture that can't be read is passed over: its questions have no answer either. Raises what opening a bundle does.
    """
    rows = list({row.images: row for row in questions.rows if row.images}.values())
    features: list[Features] = []
    with Model.open(bundle, 1) as model:
        for number, row in enumerate(rows, 1):
            features += _features(model, questions, row)
            progress("looking at pictures", number, len(rows))
    return KnownPictures.of(np.stack(features)) if features else None


def _features(model: Model, questions: QuestionSet, row: Row) -> Iterator[Features]:
    try:
        pictures = tuple(questions.pictures.picture(row, number) for number in range(len(row.images)))
    except EdgeKitError:
        return
    for piece in model.prompt([Turn(row.question, images=pictures)]).images:
        yield features_of(model.engine.encode(piece.pixels()[None])[0])
