"""Gathers what helps from afar, topic by topic; what can't be read costs its own topic alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from edgekit.progress import Progress, silent
from edgekit.support import journal, machine
from edgekit.support.archive import Archive
from edgekit.support.topic import Subject, Topic, part


def support(subject: Subject, further: Iterable[Topic] = (), progress: Progress = silent) -> Archive:
    """Read every topic about a subject, and those that its service knows ``further``; raises nothing.

    Minutes at most: programs that hang are left alone after their seconds.
    """
    topics = (*machine.TOPICS, *LATER, *journal.TOPICS, *further)
    parts = []
    for number, topic in enumerate(topics):
        progress("gather", number, len(topics))
        parts.append(part(topic, subject))
    progress("gather", len(topics), len(topics))
    return Archive.of(parts, int(subject.host.now()))


def _lazily(module: str, name: str) -> Callable[[Subject], Any]:
    """A module's reader, which is imported when it is asked: where a library that it needs is broken or missing, the
    other topics are read."""

    def read(subject: Subject) -> Any:
        return getattr(import_module(f"edgekit.support.{module}"), name)(subject)

    return read


LATER = (
    Topic("bundle.json", "the bundle's manifest", _lazily("bundle", "manifest")),
    Topic("profiles.json", "what was measured of it here", _lazily("bundle", "measured")),
    Topic("checks.json", "what its checks said", _lazily("bundle", "checks")),
    Topic("store.json", "how much is kept, and whether it is whole: numbers alone", _lazily("store", "store")),
    Topic("audit.json", "whether the record of who did what is whole", _lazily("store", "audit")),
)
