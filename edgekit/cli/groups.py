"""Options of a command that belong together: its function gets each group as one record, instead of one by one.

A command that many may add to stays readable so: a group is a frozen dataclass whose fields are called as its options'
parameters, and a decorator beside it. What only some of them allow together, the record itself says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from typing import Any, TypeVar

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
T = TypeVar("T")


def group(name: str, record: Callable[..., T], *options: Decorator) -> Decorator:
    """Return a decorator that adds ``options`` to a command, whose function gets them as ``name``, a ``record``."""
    type_: Any = record
    names = [field.name for field in fields(type_)]

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def collected(*arguments: Any, **values: Any) -> Any:
            own = {each: values.pop(each) for each in names}
            return function(*arguments, **{name: record(**own)}, **values)

        command: Callable[..., Any] = collected
        for option in reversed(options):
            command = option(command)
        return command

    return add
