"""What doctors said of answers, as training data: LLaVA's form, one row an answer, nothing of who said it and when.

DIR/feedback.json            answers on which doctors agree: the model's, or the one that they gave in its place
DIR/images/                  their pictures, as they are kept
DIR/undecided/feedback.json  the others: where doctors differ, where an answer is wrong and none was given in its place,
                             and questions about several pictures, which a row has no place for
DIR/undecided/images/

Rows and pictures are named and ordered at random, so that nothing tells which belong to one patient but a picture that
they share. Questions and answers are as somebody wrote them.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.evaluate.answers import normal
from edgekit.files import new_directory, writing
from edgekit.ward.audit.audit import Audit
from edgekit.ward.feedback import Judged, Verdict
from edgekit.ward.pictures import PictureFiles
from edgekit.ward.ward import Ward

FILE, IMAGES, UNDECIDED = "feedback.json", "images", "undecided"
_YES_OR_NO = frozenset(["yes", "no", "oui", "non", "sim", "não", "ndiyo", "hapana", "نعم", "لا"])
_MARK = "<image>"
_PNG = b"\x89PNG"


@dataclass(frozen=True)
class ExportedFeedback:
    """What was written to ``folder``: how many ``rows``, how many ``undecided`` ones beside them, and ``pictures``."""

    folder: Path
    rows: int
    undecided: int
    pictures: int


@dataclass(frozen=True)
class Outcome:
    """What doctors came to about an answer.

    ``answers`` are those that somebody stands for, the most favoured first; where they ``agree``, there is one. Votes
    are for and against the model's own answer.
    """

    verdict: str
    answers: tuple[str, ...]
    votes_for: int
    votes_against: int
    agree: bool


def export_feedback(ward: Ward, audit: Audit, who: str, folder: Path) -> ExportedFeedback:
    """Write every judged answer to ``folder``, which must not exist yet: all of it, or nothing.

    :class:`~edgekit.errors.EdgeKitError` where it exists, the disk refuses it, or a picture is damaged. The export
    stands in the audit, by ``who``, before the folder is there.
    """
    with new_directory(folder) as beside:
        beside.chmod(0o700)  # patients' pictures: whoever may see them gets them from its owner
        agreed, undecided = _Part(beside), _Part(beside / UNDECIDED)
        for judged in ward.feedback.judged():
            if not judged.verdicts:  # deleted while this runs
                continue
            outcome = weigh(judged.answer, judged.verdicts)
            part = agreed if outcome.agree and len(judged.pictures) <= 1 else undecided
            part.add(judged, outcome, ward.files)
        for part in (agreed, undecided):
            part.finish()
        audit.note("exported", who, count=agreed.count + undecided.count)
        pictures = agreed.pictures + undecided.pictures
    return ExportedFeedback(folder, agreed.count, undecided.count, pictures)


def weigh(answer: str, verdicts: Sequence[Verdict]) -> Outcome:
    """Return what ``verdicts``, one at least, make of the model's ``answer``.

    Two answers are one where they differ by case, articles, final punctuation and blanks alone. Doctors agree where all
    stand for the model's answer, or nobody does and those who give another give the same.
    """
    given: dict[str, list[str]] = {}
    votes_for = 0
    for verdict in verdicts:
        if verdict.verdict == "right" or (verdict.verdict == "answer" and normal(verdict.answer) == normal(answer)):
            votes_for += 1
        elif verdict.verdict == "answer":
            given.setdefault(normal(verdict.answer), []).append(verdict.answer)
    votes_against = len(verdicts) - votes_for
    favoured = sorted(given.values(), key=len, reverse=True)
    answers = (*((answer,) if votes_for else ()), *(texts[0] for texts in favoured))
    agree = len(answers) == 1 and not (votes_for and votes_against)
    word = ("right" if votes_for else "answer") if agree else "disputed" if answers else "wrong"
    return Outcome(word, answers, votes_for, votes_against, agree)


class _Part:
    """A file of rows with its pictures."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: list[Mapping[str, Any]] = []
        self._images: dict[str, str] = {}
        with writing(folder):
            (folder / IMAGES).mkdir(parents=True)

    @property
    def count(self) -> int:
        return len(self._rows)

    @property
    def pictures(self) -> int:
        return len(self._images)

    def add(self, judged: Judged, outcome: Outcome, files: PictureFiles) -> None:
        """Add an answer, and its pictures where they are not there yet."""
        self._rows.append(_row(judged, outcome, [self._image(name, judged.key, files) for name in judged.pictures]))

    def finish(self) -> None:
        """Write the rows, in no order."""
        secrets.SystemRandom().shuffle(self._rows)
        with writing(self._folder / FILE):
            text = json.dumps(self._rows, ensure_ascii=False, indent=1)
            (self._folder / FILE).write_text(f"{text}\n", encoding="utf-8")

    def _image(self, name: str, key: bytes, files: PictureFiles) -> str:
        if name not in self._images:
            content = files.read(name, key)
            ending = ".png" if content.startswith(_PNG) else ".dcm"
            image = f"{IMAGES}/{secrets.token_hex(8)}{ending}"
            with writing(self._folder / image):
                (self._folder / image).write_bytes(content)
            self._images[name] = image
        return self._images[name]


def _row(judged: Judged, outcome: Outcome, images: Sequence[str]) -> dict[str, Any]:
    question = "".join([f"{_MARK}\n" * len(images), _clean(judged.question).replace(_MARK, "").strip()])
    answers = [_clean(answer) for answer in outcome.answers]
    return {
        "id": secrets.token_hex(8),
        **({"image": images[0] if len(images) == 1 else list(images)} if images else {}),
        "conversations": [
            {"from": "human", "value": question},
            *({"from": "gpt", "value": answer} for answer in answers),
        ],
        "edgekit": {
            "model_answer": _clean(judged.answer),
            "verdict": outcome.verdict,
            "votes_for": outcome.votes_for,
            "votes_against": outcome.votes_against,
            "question_type": question_type(answers or [judged.answer]),
            "bundle": judged.bundle,
        },
    }


def question_type(answers: Iterable[str]) -> str:
    """Return "closed" for a question whose answers all begin with yes or no, in one of the page's languages, else
    "open"."""
    first = [normal(answer.replace(",", " ")).split(" ")[0].strip(".") for answer in answers]
    return "closed" if all(word in _YES_OR_NO for word in first) else "open"


def _clean(text: str) -> str:
    """A text without what JSON can escape and no file can hold: one half of a pair of surrogates."""
    return text.encode("utf-8", "replace").decode("utf-8")
