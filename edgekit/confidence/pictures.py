"""Whether a picture is like those that a model's confidence was learned on, by what its vision tower makes of it.

A model answers whatever it is shown: one that was tried on chest radiographs speaks of a head as confidently. What
tells them apart is the distance of a picture's features to those of the pictures that were asked about: Mahalanobis',
whose covariance is shrunk towards a sphere's, and kept along its largest axes alone so that it fits into a bundle's
record (K. Lee et al., A Simple Unified Framework for Detecting Out-of-Distribution Samples, NeurIPS 2018; features
without their length, as J. Mueller and M. Hein, Mahalanobis++, ICML 2025, have it).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from edgekit.checkpoint.packed import Array
from edgekit.errors import ConfigError

FEWEST = 100
"""Of fewer pictures the axes along which they differ are not known: measured, 50 find no more than chance."""
_AXES = 64
_SHRINKAGE = 0.1
_UNLIKE = 0.99  # the share of its own pictures, each held against the others, that are to be like them
_FOLDS = 5

Features = npt.NDArray[np.float32]


def features_of(rows: Array) -> Features:
    """Return a picture's features: of its rows ``[tokens, hidden]``, as the decoder reads them, the means and standard
    deviations, ``[2 · hidden]`` float32 of length 1."""
    values = np.asarray(rows, np.float32)
    pooled = np.concatenate([values.mean(0), values.std(0)])
    length = float(np.linalg.norm(pooled))
    return pooled / np.float32(length) if length > 0 else pooled


@dataclass(frozen=True, kw_only=True)
class KnownPictures:
    """What the features of ``count`` pictures are like.

    * ``mean``, and the ``axes`` along which they differ most: base64 of float16, ``[features]``, ``[axes, features]``
    * ``variances`` along these; ``rest``: along every other
    * ``threshold``: the largest distance of a picture like them
    """

    count: int
    mean: str
    axes: str
    variances: tuple[float, ...]
    rest: float
    threshold: float

    def __post_init__(self) -> None:
        try:
            goes_together = self._axes.shape == (len(self.variances), self._mean.size)
        except ValueError:  # no base64, or of another length
            goes_together = False
        if not goes_together or min(*self.variances, self.rest, self.threshold) <= 0:
            raise ConfigError("pictures: what is recorded of them does not go together", "Calibrate it again.")

    @classmethod
    def of(cls, features: Features) -> KnownPictures | None:
        """Return it for pictures' features ``[pictures, features]``; None where they are fewer than :data:`FEWEST`, or
        all the same.

        The threshold is the 0.99 quantile of the pictures' own distances, each to those of four fifths without it.
        """
        if len(features) < FEWEST or not np.ptp(features, axis=0).any():
            return None
        fold = np.arange(len(features)) % _FOLDS
        apart = np.empty(len(features))
        for number in range(_FOLDS):
            apart[fold == number] = _fit(features[fold != number])._distances(features[fold == number])
        return replace(_fit(features), threshold=float(np.quantile(apart, _UNLIKE)))

    def distance(self, features: Features) -> float:
        """Return how far a picture's features ``[features]`` lie from these."""
        return float(self._distances(features[None])[0])

    def are_unlike(self, features: Features) -> bool:
        """Say whether a picture's features ``[features]`` lie farther from these than theirs do from each other."""
        return self.distance(features) > self.threshold

    def _distances(self, features: Features) -> npt.NDArray[np.float64]:
        centred = np.asarray(features, np.float64) - self._mean
        along = centred @ self._axes.T
        across = np.maximum((centred**2).sum(1) - (along**2).sum(1), 0)
        distances: npt.NDArray[np.float64] = np.sqrt((along**2 / np.array(self.variances)).sum(1) + across / self.rest)
        return distances

    @cached_property
    def _mean(self) -> npt.NDArray[np.float64]:
        return _decoded(self.mean)

    @cached_property
    def _axes(self) -> npt.NDArray[np.float64]:
        return _decoded(self.axes).reshape(len(self.variances), -1)


def _fit(features: Features) -> KnownPictures:
    """What features are like, without a threshold yet."""
    values = np.asarray(features, np.float64)
    mean = values.mean(0)
    _, lengths, axes = np.linalg.svd(values - mean, full_matrices=False)
    variances = lengths**2 / (len(values) - 1)
    rest = _SHRINKAGE * float(variances.sum()) / values.shape[1]
    return KnownPictures(
        count=len(features),
        mean=_encoded(mean),
        axes=_encoded(axes[:_AXES]),
        variances=tuple(float(value) + rest for value in variances[:_AXES]),
        rest=rest,
        threshold=1.0,
    )


def _encoded(values: npt.NDArray[np.float64]) -> str:
    return base64.b64encode(values.astype("<f2").tobytes()).decode("ascii")


def _decoded(text: str) -> npt.NDArray[np.float64]:
    return np.frombuffer(base64.b64decode(text, validate=True), "<f2").astype(np.float64)
