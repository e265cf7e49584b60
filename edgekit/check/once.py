"""One true answer: what a service on a GPU asks of itself before it says that it can be asked.

A GPU whose driver was replaced, whose memory is broken or whose plan is another's may open everything and answer
nonsense. One golden question tells, in the time of one answer; where that one falls short, all are asked, and held
against the limits of `edgekit check`, so that no bundle is refused that passes there.
"""

from __future__ import annotations

import logging

from edgekit.bundle import Bundle
from edgekit.check import forced
from edgekit.check.check import specimen_of, whole_answer
from edgekit.check.golden import Golden, GoldenSequence
from edgekit.check.limits import whole_limits
from edgekit.check.measure import SequenceFigures, figures
from edgekit.check.verdict import verdict_of
from edgekit.engines.base import PartedEngine
from edgekit.errors import GateRefused
from edgekit.runtime.embeddings import Embeddings

_log = logging.getLogger(__name__)


def require_true_answer(bundle: Bundle, engine: PartedEngine) -> None:
    """Ask ``engine`` one golden question of ``bundle``'s, and all where that one falls short.

    :class:`GateRefused` where the answers do. Where they did when the engines were checked on this GPU, and whoever
    installed them went on all the same, nothing is asked, and a warning says so.
    """
    verdict = verdict_of(engine.plans) if engine.plans else None
    if verdict is not None and verdict.shortfall:
        _log.warning("Its answers fell short when it was checked, and it was told to go on: %s", verdict.shortfall)
        return
    specimen = specimen_of(bundle, engine)
    embeddings, reader = Embeddings(engine), forced.Reader(engine)

    def ask(sequence: GoldenSequence) -> SequenceFigures:
        return whole_answer(specimen, sequence, embeddings, reader)

    def shortfall(answers: list[SequenceFigures]) -> str:
        limits = whole_limits(figures(answers), bundle.manifest.recipe.gate)
        return "; ".join(limit.text for limit in limits if not limit.passed)

    first, *others = _shortest_first(specimen.golden)
    answers = [ask(first)]
    if shortfall(answers) and (why := shortfall([*answers, *map(ask, others)])):
        raise GateRefused(
            f"{bundle.path} does not answer here as it was built to: {why}",
            "Start the machine anew; `edgekit check` says which part is wrong, `edgekit rollback` goes back.",
        )


def _shortest_first(golden: Golden) -> list[GoldenSequence]:
    """Those about a picture before the others: they go through every part of the model."""
    return sorted(golden.sequences, key=lambda sequence: (sequence.picture is None, len(sequence.positions)))
