"""Commands as a script runs them, in this process: ``--json``, and the document read."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from edgekit.cli.main import main


def run(*arguments: str, codes: tuple[int, ...] = (0,)) -> Any:
    """The JSON document of a command; an :class:`AssertionError` with what it said where it ends otherwise."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([*arguments, "--json"])
    assert code in codes, f"edgekit {' '.join(arguments)} ended with {code}: {err.getvalue()}"
    return json.loads(out.getvalue())
