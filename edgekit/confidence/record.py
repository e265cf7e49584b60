"""What a bundle's confidence is worth: a record in its folder, and what it says of an answer.

``confidence.json`` is written by ``edgekit evaluate --calibrate-confidence`` and is no part of the bundle's seal: it
depends on the data that were asked. It names the bundle by its manifest's digest, and is ignored, with a told reason,
where that is another's, and where it is damaged.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit import config
from edgekit.bundle import Bundle
from edgekit.confidence.of_answer import AnswerConfidence
from edgekit.confidence.pictures import Features, KnownPictures
from edgekit.config.writing import write_json
from edgekit.errors import ConfigError
from edgekit.files import writing

CONFIDENCE = "confidence.json"
FORMAT = 1
_AGAIN = "Calibrate it again: edgekit evaluate BUNDLE --data … --split … --calibrate-confidence"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Data:
    """On which questions a record rests: the set, by its ``digest``, and how many ``items`` of it were asked."""

    title: str
    form: str
    split: str
    digest: str
    items: int

    def __str__(self) -> str:
        return f"{self.title}, {self.split}: {self.items} questions"


@dataclass(frozen=True, kw_only=True)
class Promise:
    """Of answers whose score is ``threshold`` or more, at most the share ``error`` is wrong: held with probability 0.95
    over which questions like the data's were drawn.

    ``coverage``: which share of the answers has such a score. Without a threshold nothing is promised, for the told
    ``reason``.
    """

    error: float
    threshold: float | None
    coverage: float
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a record says of an answer.

    * ``low``: whether its score is below every promise's threshold; None where nothing was promised, or no score is
      known
    * ``probability``: that it is right, by the calibrated score
    * ``error``: the least share of wrong answers that is promised of answers with its score; None where none is
    * ``data``: what all of this rests on
    * ``unlike``: whether the picture is unlike any of the data's; None where that is not known
    """

    low: bool | None
    probability: float | None
    error: float | None
    data: Data
    unlike: bool | None = None

    def document(self) -> dict[str, Any]:
        """Return a verdict as JSON has it."""
        document: dict[str, Any] = config.dump(self)
        return document


@dataclass(frozen=True, kw_only=True)
class Confidence:
    """What was learned of a bundle's confidence.

    * ``bundle``: the digest of its manifest
    * ``data``: what it was learned on
    * ``temperature``: what the log-odds of a score are divided by, to be those of an answer that is right
    * ``promises``: from the least error to the largest
    * ``pictures``: what its pictures are like; None where they were too few to say
    """

    format: int = FORMAT
    bundle: str
    data: Data
    temperature: float
    promises: tuple[Promise, ...]
    pictures: KnownPictures | None = None

    def __post_init__(self) -> None:
        if not 0 < self.temperature < math.inf:
            raise ConfigError(f"temperature is {self.temperature}", "Calibrate it again.")

    def judge(self, answer: AnswerConfidence | None, features: Sequence[Features] = ()) -> Verdict:
        """Say what an answer's confidence is worth; ``answer`` None: its tokens' probabilities are not known.

        ``features``: those of each picture that was asked about, as far as they are known.
        """
        unlike = self._are_unlike(features)
        kept = [(each.error, each.threshold) for each in self.promises if each.threshold is not None]
        if answer is None:
            return Verdict(low=None, probability=None, error=None, data=self.data, unlike=unlike)
        met = [error for error, threshold in kept if answer.score >= threshold]
        return Verdict(
            low=not met if kept else None,
            probability=scaled(answer.score, self.temperature),
            error=min(met, default=None),
            data=self.data,
            unlike=unlike,
        )

    def _are_unlike(self, features: Sequence[Features]) -> bool | None:
        if self.pictures is None or not features:
            return None
        return any(self.pictures.are_unlike(each) for each in features)

    def document(self) -> dict[str, Any]:
        """Return the record as JSON has it."""
        document: dict[str, Any] = config.dump(self)
        return document


def scaled(score: float, temperature: float) -> float:
    """Return a score with its log-odds divided by ``temperature``.

    C. Guo et al., On Calibration of Modern Neural Networks, ICML 2017.
    """
    if score in (0.0, 1.0):
        return score
    return 1 / (1 + math.exp(-(math.log(score) - math.log1p(-score)) / temperature))


def store(bundle: Bundle, confidence: Confidence) -> Path:
    """Write a record into its bundle's folder, whole or not at all, and return its path.

    :class:`~edgekit.errors.EdgeKitError` where it can't be written to.
    """
    path = bundle.path / CONFIDENCE
    with writing(path):
        write_json(path, confidence.document())
    return path


def read(bundle: Bundle) -> Confidence | None:
    """Return what is recorded of ``bundle``; None where nothing is, or it can't be used: then a warning says why."""
    path = bundle.path / CONFIDENCE
    if not path.exists():
        return None
    try:
        confidence = config.load_json(path, Confidence, FORMAT, _AGAIN)
        if confidence.bundle != bundle.digest:
            raise ConfigError(f"{path} is of another bundle, {confidence.bundle[:16]}", _AGAIN)
    except ConfigError as error:
        _log.warning("Nothing is said of how sure answers are: %s. %s", error.message, error.hint)
        return None
    return confidence
