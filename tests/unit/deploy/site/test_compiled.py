"""Modules are compiled where they lie, for the place where they will be seen."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

from edgekit.deploy.site.compiled import SEEN_AT, compile_modules, run_clean
from edgekit.errors import EdgeKitError


def test_bytecode_is_taken_as_it_is_and_names_its_place(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "module.py").write_text("def answer():\n    return 42\n")
    (tmp_path / "package" / "other.py").write_text("print 'of an old Python'\n")
    compile_modules(tmp_path)
    compiled = Path(importlib.util.cache_from_source(str(tmp_path / "package" / "module.py")))
    content = compiled.read_bytes()
    assert content[:4] == importlib.util.MAGIC_NUMBER
    assert content[4:8] == b"\1\0\0\0", "by hash, and not compared with the source (PEP 552)"
    assert f"{SEEN_AT}/package/module.py".encode() in content
    assert [path.name for path in compiled.parent.iterdir()] == [compiled.name]


def test_nothing_of_this_process_s_environment_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("PIP_FIND_LINKS", "/elsewhere")
    script = "import os; print(*sorted(os.environ)); print(oct(os.umask(0)))"
    umask = os.umask(0o077)
    try:
        done = run_clean([sys.executable, "-s", "-c", script], {"EXTRA": "1"})
    finally:
        os.umask(umask)
    seen, mask = done.stdout.splitlines()
    assert set(seen.split()) <= {"PATH", "LANG", "EXTRA", "LC_CTYPE"}
    assert mask == "0o22"


def test_a_program_that_is_not_there_is_told() -> None:
    with pytest.raises(EdgeKitError, match="/nonexistent/python can't be run"):
        run_clean(["/nonexistent/python"], {})
