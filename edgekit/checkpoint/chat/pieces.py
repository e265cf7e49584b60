"""A chat template taken apart, where it can do no harm: in a process of its own, with so much time and memory.

Jinja's sandbox keeps a template from files and from the process that runs it. It does not keep loops in loops, or a
text that doubles itself, from going on for days.
"""

from __future__ import annotations

import json
import signal
import tempfile
from pathlib import Path

from edgekit.checkpoint.chat.derive import content_kind, derive
from edgekit.checkpoint.chat.render import Program
from edgekit.checkpoint.chat.system import with_system, without_system
from edgekit.checkpoint.chat.verify import verified
from edgekit.checkpoint.spec import TemplateSpec
from edgekit.child import Crash, listen, python
from edgekit.config import load
from edgekit.errors import CheckpointError, EngineError

_ENDED = (signal.SIGXCPU, signal.SIGKILL)


def pieces(program: Program, *, system: bool = True) -> TemplateSpec:
    """Return what the program writes, as pieces of text; :class:`CheckpointError` where these can't say it.

    Without ``system`` no conversation with a system text is tried.
    """
    content = content_kind(program)
    template = verified(program, content, derive(program, content))
    return with_system(program, content, template) if system else template


def pieces_apart(program: Program) -> TemplateSpec:
    """Do what :func:`pieces` does in a process of its own;
    :class:`CheckpointError` also for a program that takes too much.
    """
    try:
        return _apart(program)
    except _TooMuch as error:
        # With a system text alone it may: then it is read without.
        return without_system(program, _apart(program, "plain"), error.message)


class _TooMuch(CheckpointError):
    """A program that took more time or memory than it may."""


def _apart(program: Program, *arguments: str) -> TemplateSpec:
    with tempfile.TemporaryDirectory(prefix="edgekit-template-") as folder:
        file = Path(folder) / "program.json"
        whole = {"source": program.source, "origin": program.origin, "tokens": dict(program.tokens)}
        file.write_text(json.dumps(whole), encoding="utf-8")
        try:
            (document,) = listen(python("edgekit.checkpoint.chat", str(file), *arguments), "Reading the chat template")
        except Crash as crash:
            if crash.signal in _ENDED:
                error = program.error("takes too much time or memory for a short conversation")
                raise _TooMuch(error.message, error.hint) from None
            raise CheckpointError(crash.message, crash.hint) from None
        except EngineError as error:
            raise CheckpointError(error.message, error.hint) from None
    return load(TemplateSpec, document, program.origin)
