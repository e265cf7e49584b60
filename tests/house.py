"""The house measured: what one answer loads, how the sources are cut, where an engine is asked for by its name.

``python -m tests.house`` prints a table of figures, each beside its goal. What is read from the sources alone is held
by ``tests/unit/test_house.py``.
"""

from __future__ import annotations

import ast
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.unit.test_imports import ORDER, ROOT, SOURCES, imported, part

ENGINES = frozenset({"onnxruntime", "onnxruntime-cuda", "tensorrt", "tensorrt-rtx", "tensorrt_rtx"})
PACKAGE = "edgekit.engines"
TABLE = ("edgekit.target.kinds",)
"""The module in which engines stand by name."""
FLAVOURS = ("edgekit.engines.tensorrt.", "edgekit.doctor.tensorrt", "edgekit.doctor.extras")
"""Where the like-named modules and packages that one engine is installed from are told apart, and no engines."""
RUNS = 9


@dataclass(frozen=True)
class Place:
    """A line of a source file."""

    module: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.module}:{self.line}: {self.text}"


def trees() -> dict[str, ast.Module]:
    """Every module of the package, parsed."""
    return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in SOURCES.items()}


def top_level() -> list[str]:
    """The modules that lie directly in the package, without ``__init__`` and ``__main__``."""
    return sorted(path.stem for path in ROOT.glob("*.py") if not path.stem.startswith("__"))


def file_lengths() -> dict[str, int]:
    """Lines of each file."""
    return {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in SOURCES.items()}


def function_lengths() -> dict[str, int]:
    """Lines of each function, from its ``def`` to its end, docstring and all."""
    lengths = {}
    for module, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                assert node.end_lineno is not None
                lengths[f"{module}:{node.lineno} {node.name}"] = node.end_lineno - node.lineno + 1
    return lengths


def cycles() -> list[set[str]]:
    """Sets of modules that import each other when they are loaded."""
    graph = {name: imported(path, lazily=False) & SOURCES.keys() for name, path in SOURCES.items()}
    reach = {name: _reached(graph, name) for name in graph}
    circles = {frozenset({name} | {other for other in reach[name] if name in reach[other]}) for name in graph}
    return [set(circle) for circle in circles if len(circle) > 1]


def _reached(graph: dict[str, set[str]], start: str) -> set[str]:
    reached: set[str] = set()
    todo = [start]
    while todo:
        for name in graph[todo.pop()] - reached:
            reached.add(name)
            todo.append(name)
    return reached


def upward() -> list[str]:
    """Imports of what stands below in the order, ``module imports module``."""
    return [
        f"{module} imports {other}"
        for module, path in SOURCES.items()
        if module != "edgekit"
        for other in sorted(imported(path, lazily=True))
        if other.startswith("edgekit.") and ORDER.index(part(other)) > ORDER.index(part(module))
    ]


def by_name() -> list[Place]:
    """Comparisons, ``match`` cases and lookups with an engine's name, outside the table of engines."""
    asks = {True: _names_a_kind, False: names_an_engine}
    flavoured = {module: module.startswith(FLAVOURS) for module in SOURCES}
    return [place for module in SOURCES if module not in TABLE for place in _places(asks[flavoured[module]], module)]


def by_class() -> list[Place]:
    """``isinstance`` against a class of an engine's own package, outside that package."""
    classes = {
        node.name
        for module, tree in trees().items()
        if module.startswith(PACKAGE)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and node.name.endswith("Engine") and node.name != "Engine"
    }

    def asks(node: ast.AST) -> bool:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance"):
            return False
        names = {child.id for child in ast.walk(node.args[1]) if isinstance(child, ast.Name)}
        return bool(names & classes)

    return [place for module in SOURCES if not module.startswith(PACKAGE) for place in _places(asks, module)]


def _places(asks: Callable[[ast.AST], bool], module: str) -> Iterator[Place]:
    """The lines of a module with nodes that ``asks`` is true of."""
    tree = ast.parse(SOURCES[module].read_text(encoding="utf-8"))
    lines = {(_line(node), ast.unparse(node).splitlines()[0][:90]) for node in ast.walk(tree) if asks(node)}
    yield from (Place(module, line, text) for line, text in sorted(lines))


def _line(node: ast.AST) -> int:
    """Of a ``match`` case, its pattern's."""
    return (node.pattern if isinstance(node, ast.match_case) else node).lineno  # type: ignore[attr-defined,no-any-return]


def _names_a_kind(node: ast.AST) -> bool:
    """Whether a comparison is with what ``.engine`` holds."""
    sides = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
    return any(isinstance(side, ast.Attribute) and side.attr == "engine" for side in sides)


def names_an_engine(node: ast.AST) -> bool:
    """Whether a comparison is with an engine's name, or with whatever ``.engine`` holds; or a ``match`` case is one."""
    if isinstance(node, ast.match_case):
        return bool(_strings([node.pattern]) & ENGINES)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "startswith":
        return bool({text.rstrip("-_") for text in _strings(node.args)} & ENGINES)
    if not isinstance(node, ast.Compare):
        return False
    sides = [node.left, *node.comparators]
    if _strings(sides) & ENGINES:
        return True
    is_equality = all(isinstance(operator, (ast.Eq, ast.NotEq, ast.In, ast.NotIn)) for operator in node.ops)
    return is_equality and _names_a_kind(node)


def _strings(nodes: Iterable[ast.AST]) -> set[str]:
    return {
        child.value
        for node in nodes
        for child in ast.walk(node)
        if isinstance(child, ast.Constant) and isinstance(child.value, str)
    }


def loaded(bundle: Path) -> list[str]:
    """The package's modules that ``edgekit ask`` loads to answer one question with ``bundle``."""
    script = (
        "import sys; from edgekit.cli.main import main; code = main(sys.argv[1:]);"
        "print(*sorted(name for name in sys.modules if name.split('.')[0] == 'edgekit'), file=sys.stderr);"
        "sys.exit(code)"
    )
    image = next((bundle / "golden").glob("*.png"))
    question = ["What do you see?", "--image", str(image), "--max-tokens", "1"]
    command = [sys.executable, "-c", script, "ask", str(bundle), *question]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT.parent, check=True, env=_environment())
    return done.stderr.splitlines()[-1].split()


def of_tensorrt(modules: Iterable[str]) -> list[str]:
    """Those of TensorRT's."""
    return [name for name in modules if "tensorrt" in name]


def of_planner(modules: Iterable[str]) -> list[str]:
    """Those of the planner's."""
    return [name for name in modules if part(name) == "plan"]


def start_ms(*arguments: str, runs: int = RUNS) -> float:
    """Milliseconds that Python takes with ``arguments``, the median of several runs."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        command = [sys.executable, *arguments]
        subprocess.run(command, capture_output=True, check=True, cwd=ROOT.parent, env=_environment())
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT.parent)}


def build_embedded(out: Path) -> Path:
    """A bundle of the embedded model for any processor."""
    command = [sys.executable, "-m", "edgekit", "build", "--target", "cpu", "--out", str(out)]
    subprocess.run(command, capture_output=True, check=True, cwd=ROOT.parent, env=_environment())
    return out


def main() -> None:
    """Measure, and print a table; with ``-v`` the places, too."""
    with tempfile.TemporaryDirectory() as name:
        modules = loaded(build_embedded(Path(name) / "bundle"))
    functions, files, names, classes = function_lengths(), file_lengths(), by_name(), by_class()
    longest, largest = max(functions, key=functions.__getitem__), max(files, key=files.__getitem__)
    tops = top_level()
    rows = [
        ("modules loaded to answer on a CPU", len(modules), "", ""),
        ("  of them TensorRT's", len(of_tensorrt(modules)), "0", ""),
        ("  of them the planner's", len(of_planner(modules)), "0", ""),
        ("top-level modules", len(tops), "at most 12", ""),
        ("longest function, lines", functions[longest], "at most 50", longest),
        ("longest file, lines", files[largest], "at most 260", largest),
        ("import cycles", len(cycles()), "0", ""),
        ("imports upward", len(upward()), "0", ""),
        ("comparisons with an engine's name", len(names), "0", f"in {len({place.module for place in names})} files"),
        ("isinstance of an engine's class", len(classes), "0", f"in {len({place.module for place in classes})} files"),
        ("python -c pass, ms", round(start_ms("-c", "pass")), "", f"median of {RUNS}"),
        ("import edgekit.cli.main, ms", round(start_ms("-c", "import edgekit.cli.main")), "no slower", "with Python"),
        ("edgekit --help, ms", round(start_ms("-m", "edgekit", "--help")), "no slower", "with Python"),
    ]
    for what, figure, goal, remark in rows:
        print(f"{what:<36}{figure:>6}   {goal:<12}{remark}".rstrip())
    if "-v" in sys.argv:
        print("", *tops, "", *names, *classes, sep="\n")


if __name__ == "__main__":
    main()
