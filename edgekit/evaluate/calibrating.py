"""A bundle's confidence, calibrated on what it answered to questions with known answers, and kept in its folder.

What counts as right decides what is promised. Of a set: every word of the right answer stands in the answer, in the
normal form of the VQA challenge (a recall of 1), for closed and open questions alike. That is stricter than both of the
literature's definitions for closed ones, by which "no" stands in "normal" and "cannot". Of phantoms: the whole answer.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from edgekit.bundle import open_bundle
from edgekit.confidence.calibrate import Calibrated, calibrate
from edgekit.confidence.outcomes import Outcomes
from edgekit.confidence.record import CONFIDENCE, Data, store
from edgekit.errors import EdgeKitError
from edgekit.evaluate.answered import Answered
from edgekit.evaluate.asking import QuestionSet
from edgekit.evaluate.bootstrap import require_scipy
from edgekit.evaluate.compare import Evaluated
from edgekit.evaluate.metrics import recall
from edgekit.evaluate.phantom_set import phantom_set
from edgekit.evaluate.seen import seen_pictures
from edgekit.phantom import Asked
from edgekit.progress import Progress, silent

Row: TypeAlias = "tuple[float, bool, str]"
"""How sure the model was, whether it was right, and about which pictures."""


def require_place(bundles: Sequence[Path]) -> None:
    """Raise :class:`EdgeKitError` where a record could not be made or written: hours of asking are not to end so."""
    require_scipy()
    for bundle in bundles:
        if not os.access(open_bundle(bundle).path, os.W_OK | os.X_OK):
            raise EdgeKitError(
                f"{bundle / CONFIDENCE} can't be written: Permission denied",
                "Copy the bundle to a place of your own, and calibrate it there.",
            )


def calibrate_on_set(
    bundles: Sequence[Path], answered: Sequence[Answered], questions: QuestionSet, progress: Progress = silent
) -> list[Calibrated]:
    """Calibrate each of the bundles on what it answered to a set, and write its record into its folder.

    Answers without a confidence, and lost ones, don't count. :class:`EdgeKitError` where there are no others.
    """
    return [_kept(path, questions, _of_set(each), progress) for path, each in zip(bundles, answered, strict=True)]


def calibrate_on_phantoms(
    bundles: Sequence[Path], evaluated: Sequence[Evaluated], asked: Sequence[Asked], progress: Progress = silent
) -> list[Calibrated]:
    """Do the same on what each answered about phantoms."""
    questions = phantom_set(asked)
    return [_kept(path, questions, _of_phantoms(each), progress) for path, each in zip(bundles, evaluated, strict=True)]


def with_confidence(document: Mapping[str, Any], calibrated: Sequence[Calibrated]) -> dict[str, Any]:
    """Return an evaluation's document with each bundle's calibration under ``confidence``."""
    if not calibrated:
        return dict(document)
    if len(calibrated) == 1:
        return {**document, "confidence": calibrated[0].document()}
    pairs = zip(document["bundles"], calibrated, strict=True)
    return {**document, "bundles": [{**each, "confidence": one.document()} for each, one in pairs]}


def _of_set(answered: Answered) -> list[Row]:
    items = {item.id: item for item in answered.dataset.items}
    return [
        (
            float(each.metadata["confidence"]["score"]),
            recall(items[each.question_id].answer, each.text or "") == 1,
            "\n".join(items[each.question_id].images),
        )
        for each in answered.predictions
        if each.metadata.get("confidence") is not None
    ]


def _of_phantoms(evaluated: Evaluated) -> list[Row]:
    return [(row.confidence, row.right, str(row.seed)) for row in evaluated.scores.rows if row.confidence is not None]


def _kept(path: Path, questions: QuestionSet, rows: Sequence[Row], progress: Progress) -> Calibrated:
    """Calibrate a bundle, and keep its record."""
    bundle, dataset = open_bundle(path), questions.dataset
    data = Data(
        title=dataset.title,
        form=dataset.form,
        split=dataset.split,
        digest=dataset.digest,
        items=len(dataset.items),
    )
    calibrated = calibrate(Outcomes.of(rows), bundle.digest, data, without=len(dataset.items) - len(rows))
    pictures = seen_pictures(path, questions, progress)
    calibrated = replace(calibrated, confidence=replace(calibrated.confidence, pictures=pictures))
    store(bundle, calibrated.confidence)
    return calibrated
