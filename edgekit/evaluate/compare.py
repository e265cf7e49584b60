"""Several bundles, or one checkpoint by several recipes, asked the same questions about phantoms."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit import config
from edgekit.errors import ConfigError
from edgekit.evaluate.phantoms import Scores, evaluate
from edgekit.evaluate.subjects import Subjects
from edgekit.files import write_text
from edgekit.phantom import Asked
from edgekit.progress import Progress, silent


@dataclass(frozen=True)
class Evaluated:
    """A bundle's scores, and what it weighs; ``name`` tells it from the others."""

    name: str
    recipe: str
    bytes: int
    digest: str
    scores: Scores

    def document(self) -> dict[str, Any]:
        """Return a bundle's scores as JSON has them, in percent, with every question and answer."""
        scores = self.scores
        return {
            "name": self.name,
            "recipe": self.recipe,
            "bytes": self.bytes,
            "digest": self.digest,
            "closed": config.dump(scores.metrics.closed),
            "open_recall": scores.metrics.open_recall,
            "right": {
                **{form: share.document() for form, share in scores.forms.items()},
                "names_every_finding": scores.names_all.document(),
            },
            "guessing": {form: share.percent for form, share in scores.guessing.items()},
            "topics": {topic: share.document() for topic, share in scores.topics.items()},
            "rows": config.dump(scores.rows),
        }


def document(evaluated: Sequence[Evaluated]) -> dict[str, Any]:
    """Return the scores of one bundle, or of several beside each other, as JSON has them."""
    documents = [each.document() for each in evaluated]
    return documents[0] if len(documents) == 1 else {"bundles": documents}


def evaluate_phantoms(
    subjects: Subjects, asked: Sequence[Asked], slots: int | None, progress: Progress = silent
) -> Iterator[Evaluated]:
    """Yield each bundle's scores, one bundle in memory at a time; ``slots`` None: as many as its target has.

    Raises what opening a bundle and asking it raise.
    """
    for subject in subjects:
        with subject.open(slots) as model:
            scores = evaluate(model, asked, of_subject(progress, subject.name))
        bundle = subject.bundle
        yield Evaluated(subject.name, bundle.manifest.recipe.name, bundle.bytes, bundle.digest, scores)


def of_subject(progress: Progress, name: str) -> Progress:
    """Return a progress whose stages are those of the bundle ``name``."""
    return lambda stage, done, total: progress(f"{stage} ({name})", done, total)


def require_writable(path: Path) -> None:
    """Raise :class:`ConfigError` where :func:`write_rows` could not write to ``path``; its folder is made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise PermissionError(None, "Permission denied")
    except OSError as error:
        raise ConfigError(f"{path} can't be written: {error.strerror}", "Give another file with --out.") from error


def write_rows(path: Path, evaluated: Sequence[Evaluated]) -> None:
    """Write a line of JSON for every question asked of every bundle: the bundle's name, then the fields of a row."""
    lines = [json.dumps({"bundle": each.name, **vars(row)}) + "\n" for each in evaluated for row in each.scores.rows]
    write_text(path, "".join(lines))
