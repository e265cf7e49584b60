"""JSON as evaluations, profiles and plans write it, with what a report reads of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from edgekit.units import GIB


def evaluation(name: str, closed: float, open_recall: float = 30.0, **more: Any) -> dict[str, Any]:
    """What a bundle called ``name`` scored on VQA-RAD's test split."""
    scores = {
        metric: {"percent": value, "interval": [value - 2, value + 2], "count": 100}
        for metric, value in (("closed_paper", closed), ("open_recall", open_recall))
    }
    return {
        "name": name,
        "recipe": "q4",
        "bytes": GIB,
        "digest": f"digest of {name}",
        "data": {"title": "VQA-RAD", "split": "test"},
        "closed": {"paper": closed},
        "scores": scores,
        "groups": {"language": {"en": scores}},
        "rows": [],
        **more,
    }


def profile(name: str, static: float, dynamic: float, first_token_ms: float = 500.0) -> dict[str, Any]:
    """What was measured of the same bundle, memory in GiB."""
    side = {"static_bytes": static * GIB, "dynamic_bytes": dynamic * GIB + 1, "mean_peak_bytes": dynamic * GIB}
    return {
        "components": {},
        "sides": [side],
        "digest": f"digest of {name}",
        "model": "tiny",
        "recipe": "q4",
        "times": {"first_token_ms": {"median": first_token_ms}},
    }


def plan(model: str, recipe: str, static: float, dynamic: float) -> dict[str, Any]:
    """What was planned, memory in GiB."""
    return {
        "components": {},
        "sides": {},
        "model": model,
        "recipe": recipe,
        "static_bytes": static * GIB,
        "dynamic_bytes": dynamic * GIB,
    }


def write(folder: Path, **documents: Any) -> Path:
    """Write each as a file of its name; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, document in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    return folder
