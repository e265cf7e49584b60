"""Sealed JSON files that a test changes on purpose: written without their seal, as by an EdgeKit that had none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgekit.config.seal import SEAL


def unsealed(path: Path) -> Any:
    """What a JSON file says, without its seal."""
    document = json.loads(path.read_text())
    document.pop(SEAL, None)
    return document


def edit(path: Path, change: Callable[[Any], object]) -> None:
    """Change what a JSON file says, in place; it has no seal afterwards."""
    document = unsealed(path)
    change(document)
    path.write_text(json.dumps(document))
