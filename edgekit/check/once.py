"""One true answer: what a service on a GPU asks of itself before it says that it can be asked.

A GPU whose driver was replaced, whose memory is broken or whose plan is another's may open everything and answer
nonsense. One golden question tells, in the time of one answer; where that one falls short, all are asked, and held
against the limits of `edgekit check`, so that no bundle is refused that passes there.
"""

from __future__ import annotations

import logging

from edgekit.bundle import Bundle
from edgekit.bundle.forced import ForcedGate, forced_at_install
from edgekit.check import forced
from edgekit.check.check import specimen_of, whole_answer
from edgekit.check.golden import Golden, GoldenSequence
from edgekit.check.limits import whole_limits
from edgekit.check.measure import SequenceFigures, figures
from edgekit.engines.base import PartedEngine
from edgekit.errors import ConfigError, GateRefused
from edgekit.runtime.embeddings import Embeddings

_log = logging.getLogger(__name__)


def require_true_answer(bundle: Bundle, engine: PartedEngine) -> None:
    """Ask ``engine`` one golden question of ``bundle``'s, and all where that one falls short.

    :class:`GateRefused` where the answers do. Where they did when ``bundle`` was installed, and root forced it in all
    the same, nothing is asked, and a warning says so. What a later check said excuses nothing: nobody chose that.
    """
    if gates := [gate for gate in _forced(bundle) if gate.is_of_answers]:
        _log.warning("Its answers fell short when it was installed, and it was told to go on: %s", gates[-1].text)
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


def _forced(bundle: Bundle) -> tuple[ForcedGate, ...]:
    """What root forced; nothing where that can't be read: then the answers count."""
    try:
        return forced_at_install(bundle)
    except (ConfigError, OSError) as error:
        _log.warning("What was forced at the install can't be read, and excuses nothing: %s", error)
        return ()


def _shortest_first(golden: Golden) -> list[GoldenSequence]:
    """Those about a picture before the others: they go through every part of the model."""
    return sorted(golden.sequences, key=lambda sequence: (sequence.picture is None, len(sequence.positions)))
