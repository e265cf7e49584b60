"""How far the tests mirror the source: ``tests/unit/PACKAGE/test_MODULE.py`` beside ``edgekit/PACKAGE/MODULE.py``.

A file may stand for a whole package. ``tests/unit/tests/`` mirrors what the tests themselves are built of, and
``tests/unit/reads/`` the tables of ``docs/reads.md``. What is read here is held by ``tests/unit/test_house.py``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "tests" / "unit"
WHOLE = {
    "test_house.py": "the cut of the house: no module's own matter",
    "test_imports.py": "the order of imports: no module's own matter",
    "reads/": "each row of docs/reads.md, whichever modules read it",
}
LONG = 5


def strays() -> list[str]:
    """The test files that stand for no module, no package and nothing of ``WHOLE``."""
    files = sorted(path.relative_to(UNIT).as_posix() for path in UNIT.rglob("test_*.py"))
    return [file for file in files if not file.startswith(tuple(WHOLE)) and not is_mirror(file)]


def is_mirror(file: str) -> bool:
    """Whether a file below ``tests/unit`` has a module or a package of its name."""
    path = Path(file)
    base = ROOT if path.parts[0] == "tests" else ROOT / "edgekit"
    module = base / path.parent / path.name.removeprefix("test_")
    return module.is_file() or module.with_suffix("").is_dir()


def untested() -> list[str]:
    """The modules with a function of more than ``LONG`` lines and no test file of their name."""
    return [
        module
        for path in sorted((ROOT / "edgekit").rglob("*.py"))
        if (module := path.relative_to(ROOT / "edgekit").as_posix()) and path.name != "__init__.py"
        if has_logic(path.read_text(encoding="utf-8")) and not (UNIT / module).with_name(f"test_{path.name}").is_file()
    ]


def has_logic(source: str) -> bool:
    """Whether one of its functions is longer than ``LONG`` lines, docstring and all."""
    return any(length > LONG for length in _lengths(source))


def _lengths(source: str) -> Iterator[int]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (node.end_lineno or node.lineno) - node.lineno + 1
