"""One topic of what helps from afar: how it is read, and the text that comes of it, whatever goes wrong.

A topic that can't be read says why in its place, since that may be the very thing that help is asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit import config
from edgekit.errors import EdgeKitError, gist
from edgekit.machine.host import Host

_CONTROLS = {code: "�" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Whom help is for: a machine (``host``), the folder of what its service keeps (``state``), and the ``bundle`` that
    it serves, None where there is none."""

    host: Host
    state: Path
    bundle: Path | None


@dataclass(frozen=True)
class Topic:
    """A topic is a file of the archive: its ``name``, ``what`` it holds in a line, and what reads that of a subject:
    text, or whatever JSON can hold."""

    name: str
    what: str
    read: Callable[[Subject], Any]


@dataclass(frozen=True)
class Part:
    """A part is a topic as it was read: a ``text`` for people."""

    name: str
    what: str
    text: str

    @property
    def content(self) -> bytes:
        """The text in UTF-8."""
        return self.text.encode(errors="backslashreplace")


def part(topic: Topic, subject: Subject) -> Part:
    """Read a topic; raises nothing. What goes wrong is its text: an error of EdgeKit's in full, of others the type."""
    try:
        value = topic.read(subject)
    except EdgeKitError as error:
        value = {"error": error.message, "hint": error.hint}
    except Exception as error:  # its text may be of anything
        value = {"error": f"It can't be read: {_reason(error)}"}
    text = value if isinstance(value, str) else json.dumps(config.dump(value), indent=2, ensure_ascii=False) + "\n"
    return Part(topic.name, topic.what, _readable(text))


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, ImportError) and error.name:
        return f"the library '{error.name}' is missing, or can't be used"
    return type(error).__name__


def first_line(text: str) -> str:
    """Return what a program says first, in 200 characters."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return gist(lines[0], 200) if lines else ""


def _readable(text: str) -> str:
    """Nothing that steers a terminal, and no name of who happens to have run this."""
    clean = text.translate(_CONTROLS)
    try:
        home = str(Path.home())
    except RuntimeError:
        return clean
    return re.sub(rf"{re.escape(home)}(?![\w.-])", "~", clean) if len(Path(home).parts) > 2 else clean
