"""Figures of the service for Prometheus: how many asked, waited and were answered, how fast; never what."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from edgekit.check.nightly import OUTCOMES, nightly_here
from edgekit.serve.answer import Answer
from edgekit.serve.engine import EngineThread

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FAILURES = 50
"""The last failures that are remembered, for whoever looks after the service."""
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


@dataclass(frozen=True)
class Failure:
    """Something that the service failed at: when, in seconds since 1970, and the code that its caller was told."""

    at_s: float
    code: str


class Metrics:
    """The figures of one service, in a registry of its own, and the last ``failures``."""

    def __init__(self, engine: EngineThread) -> None:
        self.failures: deque[Failure] = deque(maxlen=FAILURES)
        self._registry = registry = CollectorRegistry()
        names = ("route", "status")
        self._requests = Counter("edgekit_requests", "Requests, by route and status.", names, registry=registry)
        self._broken = Counter(
            "edgekit_stream_failures",
            "Streams that ended with an error, which edgekit_requests counts by the status that was sent before it.",
            ("route", "code"),
            registry=registry,
        )
        self._seconds = Histogram(
            "edgekit_request_seconds", "How long requests took.", ("route",), buckets=_SECONDS, registry=registry
        )
        self._first = Histogram(
            "edgekit_first_token_seconds", "From queueing to the first token.", buckets=_SECONDS, registry=registry
        )
        self._prompt = Counter("edgekit_prompt_tokens", "Tokens of prompts.", registry=registry)
        self._reused = Counter(
            "edgekit_reused_tokens", "Tokens of prompts that were not read again.", registry=registry
        )
        self._written = Counter("edgekit_answer_tokens", "Tokens of answers.", registry=registry)
        self._answers = Counter("edgekit_answers", "Answers, by how they ended.", ("reason",), registry=registry)
        Gauge("edgekit_waiting", "Answers without a slot.", registry=registry).set_function(lambda: len(engine.waiting))
        Gauge("edgekit_running", "Answers with a slot.", registry=registry).set_function(
            lambda: len(engine.live) - len(engine.waiting)
        )
        registry.register(NightlyFigures())

    def note(self, route: str, status: int, seconds: float, code: str = "") -> None:
        """Count a request; ``code`` says what went wrong."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        is_broken = bool(code) and status < 400
        if is_broken:
            self._broken.labels(route, code).inc()
        if status >= 500 or is_broken:
            self.failures.append(Failure(time.time(), code or f"status_{status}"))

    def count(self, answer: Answer) -> None:
        """Count an answer that has ended."""
        completion = answer.completion
        if completion is None:
            self._answers.labels("error").inc()
            return
        self._answers.labels(completion.reason).inc()
        self._prompt.inc(completion.prompt_tokens)
        self._reused.inc(completion.reused_tokens)
        self._written.inc(completion.tokens)
        if completion.first_token_ms:
            self._first.observe(completion.first_token_ms / 1000)

    def text(self) -> bytes:
        """Write all figures in Prometheus' text format."""
        return generate_latest(self._registry)


class NightlyFigures(Collector):
    """What the nightly check said last, read whenever somebody asks; nothing where the service is no installed one."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        nightly = nightly_here()
        if nightly is None:
            return
        outcomes = GaugeMetricFamily(
            "edgekit_nightly_check",
            "How the nightly check fell out: 1 for the outcome that holds, by its parts.",
            labels=("part", "outcome"),
        )
        times = GaugeMetricFamily(
            "edgekit_nightly_check_timestamp_seconds", "When that was found, in seconds since 1970.", labels=("part",)
        )
        for name, part in nightly.parts.items():
            for outcome in OUTCOMES:
                outcomes.add_metric((name, outcome.replace(" ", "_")), float(part.outcome == outcome))
            times.add_metric((name,), _seconds(part.at))
        yield outcomes
        yield times


def _seconds(time: str) -> float:
    try:
        return datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return 0.0
