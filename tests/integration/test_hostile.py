"""Each field of a bundle's manifest and of a checkpoint's config, set to what nobody would: an answer or an error.

The commands run in a child process that may take 1 GiB beyond what it starts with, so that a number read from a
file and believed shows itself as an allocation that fails.
"""

from __future__ import annotations

import io
import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from edgekit.cli.main import main
from edgekit.pipeline import build
from edgekit.recipe import recipe
from edgekit.target import target
from edgekit.units import GIB
from tests.checkpoints import write_checkpoint
from tests.edited import edit

Place = tuple[str | int, ...]
NUMBERS = (0, -1, 2**31, 2**64, 1e308, float("nan"))
TEXTS = ("", "{0.__class__}", "{", "<image>", "\ud800", "\0")
OTHERS: tuple[Any, ...] = (None, [], {}, "7", 7)
NAMES = ("", ".", "graphs", "../manifest.json", "/etc/hostname", "\0", "x" * 5000, "\ud800")
LEFT_OUT = ("sha256",)  # hashes are compared on request only


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """The way to every value in a JSON document but itself."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*at, key)
        yield from places(inner, (*at, key))


def mutants(document: Any) -> Iterator[tuple[str, Any]]:
    """Copies of a JSON document with one value changed, each with words for what was changed."""
    for place in places(document):
        if place[-1] in LEFT_OUT:
            continue
        old = inside(document, place)
        kind = NUMBERS if isinstance(old, int | float) else TEXTS if isinstance(old, str) else ()
        for new in (*kind, *OTHERS):
            changed = deepcopy(document)
            inside(changed, place[:-1])[place[-1]] = new
            yield f"{place} = {new!r:.40}", changed
        changed = deepcopy(document)
        del inside(changed, place[:-1])[place[-1]]
        yield f"{place} taken away", changed


def renamed(document: Any, place: Place) -> Iterator[tuple[str, Any]]:
    """Copies with one name of the object at ``place`` changed."""
    for old in inside(document, place):
        for new in NAMES:
            changed = deepcopy(document)
            files = inside(changed, place)
            files[new] = files.pop(old)
            yield f"{(*place, old)} named {new!r:.40}", changed


def inside(document: Any, place: Place) -> Any:
    for key in place:
        document = document[key]
    return document


def run(*arguments: str) -> tuple[int, str]:
    """A command line in this process: its exit code and all of stderr."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        code = main(arguments)
    err.seek(0)
    return code, err.read()


def survive(document: Path, *arguments: str) -> None:
    """Run a command on every mutant of ``document``; print the failures, one to a line."""
    value = json.loads(document.read_text())
    code, said = run(*arguments)
    assert code == 0, said
    # What libraries map on first use lies behind us.
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + GIB
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    changes = [*mutants(value), *(renamed(value, ("files",)) if "files" in value else ())]
    for what, changed in changes:
        document.write_text(json.dumps(changed))
        print("at", what, flush=True)  # the last line where the process itself ends
        try:
            code, said = run(*arguments)
        except BaseException as error:
            code, said = -1, repr(error)
        if code not in (0, 1) or "internal error" in said or "Traceback" in said or (code == 1) != ("Error: " in said):
            print("FAILED", what, code, ascii(said[-400:]))
    print("done", len(changes))


def report(document: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", __name__, str(document), *arguments]
    root = Path(__file__).resolve().parents[2]
    child = subprocess.run(command, capture_output=True, text=True, cwd=root, timeout=200)
    lines = child.stdout.splitlines()
    failures = [line for line in lines if line.startswith("FAILED")]
    assert not failures, "\n".join(failures)
    assert child.returncode == 0, (lines[-1:], child.stderr[-2000:])
    assert int(lines[-1].removeprefix("done ")) > 300


def test_any_field_of_a_manifest(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "checkpoint")
    bundle = build(
        tmp_path / "checkpoint", replace(target("cpu"), context=160), recipe("q4"), tmp_path / "bundle"
    ).bundle
    shutil.rmtree(bundle.path / "engines", ignore_errors=True)  # it is of the bundle unchanged
    Image.radial_gradient("L").save(tmp_path / "picture.png")
    edit(bundle.path / "manifest.json", lambda document: None)  # who means harm seals it anew
    question = ("hello", "--max-tokens", "1", "--image", str(tmp_path / "picture.png"))
    report(bundle.path / "manifest.json", "ask", str(bundle.path), *question)


@pytest.mark.parametrize("layout", ["hf-5", "llava"])
def test_any_field_of_a_config(layout: Any, tmp_path: Path) -> None:
    write_checkpoint(tmp_path, layout)
    report(tmp_path / "config.json", "inspect", str(tmp_path))


if __name__ == "__main__":
    survive(Path(sys.argv[1]), *sys.argv[2:])
