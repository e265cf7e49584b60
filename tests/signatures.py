"""How the house's functions and records may be called: by parameters that are called what they are, and by keywords.

What is read here is held by ``tests/unit/test_house.py``.
"""

from __future__ import annotations

import ast
import re

from tests.house import Place, trees

WEAK = frozenset({"found", "made", "known", "how", "where", "told", "one", "what"})
"""Words that stand where a name should."""
FEW = 5
"""Fields that a dataclass may be given by their positions."""


def weak_parameters() -> list[Place]:
    """Parameters, of functions and of lambdas, that are called by a weak word."""
    return [
        Place(module, node.lineno, node.arg)
        for module, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.arg) and is_weak(node)
    ]


def is_weak(node: ast.AST) -> bool:
    """Whether a node is a parameter that is called by a weak word."""
    return isinstance(node, ast.arg) and node.arg in WEAK


def positional() -> set[str]:
    """Dataclasses with more than few fields that can be given by their positions, as ``module.Class``."""
    return {
        f"{module}.{node.name}"
        for module, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and takes_many_by_position(node)
    }


def takes_many_by_position(node: ast.ClassDef) -> bool:
    """Whether it is a dataclass with more than few fields, without ``kw_only``, and without ``KW_ONLY`` among them."""
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    if not any(re.match(r"(dataclasses\.)?dataclass\b", text) for text in decorators):
        return False
    kinds = [ast.unparse(line.annotation) for line in node.body if isinstance(line, ast.AnnAssign)]
    by_keyword = any("kw_only=True" in text for text in decorators) or any(kind.endswith("KW_ONLY") for kind in kinds)
    return not by_keyword and sum("ClassVar" not in kind for kind in kinds) > FEW
