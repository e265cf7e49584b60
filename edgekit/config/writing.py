"""Records written as JSON: a dataclass becomes a file, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from edgekit.config import seal
from edgekit.config.reading import dump
from edgekit.files import write_text


def write_json(path: Path, record: Any, form: Literal["sealed", "lines", "compact"] = "sealed") -> None:
    """Write ``record``, a dataclass or plain dicts and lists, to ``path``; :func:`~edgekit.config.load_json` reads it.

    A "sealed" one carries its own hash (:mod:`edgekit.config.seal`); files whose hash stands in a list don't need that:
    "lines" has a line for every value, "compact" none. :class:`~edgekit.errors.EdgeKitError` as of the disk.
    """
    document = dump(record)
    if form == "sealed":
        write_text(path, seal.dumps(document))
    elif form == "lines":
        write_text(path, json.dumps(document, indent=1) + "\n")
    else:
        write_text(path, json.dumps(document, separators=(",", ":")) + "\n")
