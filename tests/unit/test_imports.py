"""The order of imports is the shape of the house: a module imports only what stands above it."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import edgekit

ORDER = [
    *("errors", "units", "progress", "files", "config", "console", "child", "machine", "target", "recipe"),
    *("onnx_session",),
    *("checkpoint", "inputs", "vqa", "phantom", "export", "blocks", "quantize"),
    *("bundle", "engines", "plan", "runtime", "confidence"),
    *(
        "check",
        "pipeline",
        "doctor",
        "profile",
        "batch",
        "evaluate",
        "report",
        "ward",
        "support",
        "serve",
        "deploy",
        "demo",
        "tune",
        "cli",
        "__main__",
    ),
]
ROOT = Path(edgekit.__file__).parent
SOURCES = {
    ".".join(["edgekit", *path.relative_to(ROOT).with_suffix("").parts]).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
}


def imported(path: Path, *, lazily: bool) -> set[str]:
    """The modules that a file imports by absolute name; with ``lazily``, inside functions too."""
    modules: set[str] = set()
    todo: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            modules |= {name for name in names if name in SOURCES} or {str(node.module)}
        if lazily or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            todo += ast.iter_child_nodes(node)
    return modules


def part(module: str) -> str:
    """What a module belongs to: "edgekit.checkpoint.spec" to "checkpoint"; the package itself to ""."""
    return module.partition(".")[2].split(".")[0]


@pytest.mark.parametrize("module", [name for name in SOURCES if name != "edgekit"])
def test_a_module_imports_only_what_stands_above_it(module: str) -> None:
    assert part(module) in ORDER, "a new part of the house: give it its place in ORDER"
    ours = {name for name in imported(SOURCES[module], lazily=True) if name.startswith("edgekit.")}
    below = [name for name in ours if ORDER.index(part(name)) > ORDER.index(part(module))]
    assert not below


def test_no_module_imports_itself_through_others() -> None:
    graph = {name: imported(path, lazily=False) & SOURCES.keys() for name, path in SOURCES.items()}
    list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the cycle


@pytest.mark.parametrize("module", [name for name in SOURCES if part(name) != "tune"])
def test_no_training_framework_on_the_build_path(module: str) -> None:
    tops = {name.split(".")[0] for name in imported(SOURCES[module], lazily=True)}
    assert not tops & {"torch", "transformers", "tensorflow"}


def test_jinja_is_imported_where_a_chat_template_is_rendered_alone() -> None:
    tops = {name: {module.split(".")[0] for module in imported(path, lazily=True)} for name, path in SOURCES.items()}
    imports = {name for name, names in tops.items() if "jinja2" in names}
    assert imports == {"edgekit.checkpoint.chat.render"}
    script = "import sys; sys.modules['jinja2'] = None; import edgekit.checkpoint"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT.parent).returncode == 0


@pytest.mark.parametrize("arguments", ["--help", "--version", "targets"])
def test_a_command_imports_only_what_it_needs(arguments: str) -> None:
    script = (
        "import sys; from edgekit.cli.main import main; code = main(sys.argv[1:]);"
        "heavy = {'numpy', 'onnx', 'onnxruntime', 'rich', 'PIL', 'tokenizers'} & set(sys.modules);"
        "sys.exit(f'imported {heavy}' if heavy - set(['rich'] * (sys.argv[1] == 'targets')) else code)"
    )
    done = subprocess.run([sys.executable, "-c", script, arguments], capture_output=True, text=True, cwd=ROOT.parent)
    assert done.returncode == 0, done.stderr
