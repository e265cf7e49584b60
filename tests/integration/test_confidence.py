"""How sure the embedded model is of its answers: the same whatever stands beside them; and what it is worth."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from edgekit.bundle import Bundle, open_bundle
from edgekit.cli.main import main
from edgekit.confidence.of_answer import AnswerConfidence
from edgekit.confidence.outcomes import Outcomes
from edgekit.confidence.pictures import FEWEST, Features, KnownPictures, features_of
from edgekit.confidence.promises import promises
from edgekit.confidence.record import CONFIDENCE, read
from edgekit.evaluate.asking import predictions
from edgekit.evaluate.phantom_set import phantom_set
from edgekit.evaluate.phantoms import questions
from edgekit.inputs.images import Picture, load_image
from edgekit.phantom import draw
from edgekit.runtime.model import Model
from tests.embedded_bundles import EmbeddedBundles
from tests.splits import corrupted, hard_answers, promised

ASKED = phantom_set(questions(48))
SCANNERS = ("CT_small.dcm", "MR_small.dcm", "rtdose.dcm", "JPEG2000.dcm")


def lines(bundle: Bundle, slots: int, start: int = 0) -> dict[object, bytes]:
    """The predictions as they are written, by their ids, from a question on."""
    with Model.open(bundle.path, slots) as model:
        return {each.question_id: each.line() for each in predictions(model, "q4", ASKED, rows=ASKED.rows[start:])}


def test_a_line_is_the_same_in_any_number_of_slots_and_from_any_question_on(embedded_as: EmbeddedBundles) -> None:
    whole = lines(embedded_as("q4"), 8)
    assert lines(embedded_as("q4"), 3) == whole
    assert lines(embedded_as("q4"), 8, 20) == {row.id: whole[row.id] for row in ASKED.rows[20:]}


def test_most_closed_questions_have_a_margin_and_open_ones_none(embedded_as: EmbeddedBundles) -> None:
    with Model.open(embedded_as("q4").path, 8) as model:
        predicted = {each.question_id: each for each in predictions(model, "q4", ASKED)}
    for item in ASKED.dataset.items:
        confidence = AnswerConfidence.read(predicted[item.id].metadata["confidence"])
        assert (confidence.margin is not None) == item.closed


@pytest.fixture(scope="module")
def hard(embedded_as: EmbeddedBundles) -> Outcomes:
    """Answers about phantoms made hard, asked once."""
    with Model.open(embedded_as("q4").path, 8) as model:
        return hard_answers(model, 480)


def test_promises_about_hard_phantoms_hold_in_at_least_95_of_100_splits(hard: Outcomes) -> None:
    assert 0.08 < hard.error < 0.4
    kept = promised(hard)
    assert len(kept[0.1].coverages) > 50  # fewer answers than that promise little: the long test has more
    assert min(kept[0.1].coverages) > 0.1
    assert all(each.broken <= 10 for each in kept.values())


def test_answers_corrupted_whatever_their_confidence_promise_nothing(hard: Outcomes) -> None:
    assert all(len(each.coverages) <= 2 for each in promised(corrupted(hard)).values())
    for promise in promises(*corrupted(hard).halves("")):
        assert promise.threshold is None
        assert promise.reason


def test_too_few_of_them_promise_nothing(hard: Outcomes) -> None:
    few = hard.part(np.arange(len(hard)) < 48)
    assert all("too few rows" in str(promise.reason) for promise in promises(*few.halves("")))


def test_the_command_keeps_a_record_that_stays_outside_the_seal(
    embedded_as: EmbeddedBundles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = embedded_as.copy("q4", tmp_path / "q4")
    arguments = ["evaluate", str(bundle.path), "--questions", "60", "--calibrate-confidence", "--json"]
    assert main(arguments) == 0
    document = json.loads(capsys.readouterr().out)["confidence"]
    record = read(bundle)
    assert record is not None
    assert document["temperature"] == record.temperature
    assert [each["reason"] for each in document["promises"]] == [each.reason for each in record.promises]
    assert document["answers"] == record.data.items == 60
    before = (bundle.path / CONFIDENCE).read_bytes()
    assert main(["inspect", str(bundle.path), "--verify"]) == 0
    assert open_bundle(bundle.path).digest == bundle.digest
    assert main(arguments) == 0
    assert (bundle.path / CONFIDENCE).read_bytes() == before


def test_scanners_pictures_are_unlike_phantoms_and_phantoms_saved_otherwise_are_not(
    embedded_as: EmbeddedBundles,
) -> None:
    """A phantom as JPEG, rescaled, or of another tone is known; each kind is told from CT, MR and a dose."""
    drawn = [draw(scene) for scene in dict.fromkeys(each.scene for each in questions(6 * (2 * FEWEST + 30)))]
    files = Path(pydicom.__file__).parent / "data" / "test_files"
    with Model.open(embedded_as("q4").path, 1) as model:
        spec = model.bundle.manifest.spec.image

        def features(picture: Picture) -> Features:
            return features_of(model.engine.encode(picture.pixels(spec)[None])[0])

        known = KnownPictures.of(np.stack([features(Picture.of(image)) for image in drawn[: 2 * FEWEST]]))
        assert known is not None
        fresh = drawn[2 * FEWEST :]
        changed = [
            fresh,
            [image.resize((2 * image.width // 3, 2 * image.height // 3)) for image in fresh],
            [image.point(lambda value: round(255 * (value / 255) ** 0.8)) for image in fresh],
            [jpeg(image) for image in fresh],
        ]
        distances = [[known.distance(features(Picture.of(image))) for image in images] for images in changed]
        others = [known.distance(features(load_image(files / name))) for name in SCANNERS]
    for kind in distances:
        assert np.mean(np.array(kind) > known.threshold) < 0.15
        assert np.mean(np.array(kind)[:, None] < np.array(others)) >= 0.95  # the area under the curve
    assert np.mean(np.array(others) > known.threshold) >= 0.5  # small slices are the nearest to phantoms


def jpeg(image: Image.Image) -> Image.Image:
    data = io.BytesIO()
    image.save(data, "JPEG", quality=60)
    return Image.open(data)
