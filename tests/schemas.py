"""Small JSON schemas, and what each asks of an answer, written by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Asked:
    """A schema, and whether a value of JSON is as it says."""

    schema: dict[str, Any]
    holds: Callable[[Any], bool]


def _finding(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and {"present", "side"} <= set(value) <= {"present", "side", "score"}
        and isinstance(value["present"], bool)
        and value["side"] in ("left", "right", "both")
        and (type(value.get("score", 0)) is int and 0 <= value.get("score", 0) <= 10)
    )


def _scores(value: Any) -> bool:
    return isinstance(value, list) and 2 <= len(value) <= 4 and all(type(n) is int and 1 <= n <= 99 for n in value)


ASKED = {
    "yes or no": Asked({"enum": ["yes", "no"]}, lambda value: value in ("yes", "no")),
    "a finding": Asked(
        {
            "type": "object",
            "properties": {
                "present": {"type": "boolean"},
                "side": {"enum": ["left", "right", "both"]},
                "score": {"type": "integer", "minimum": 0, "maximum": 10},
            },
            "required": ["present", "side"],
            "additionalProperties": False,
        },
        _finding,
    ),
    "scores": Asked(
        {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 99}, "minItems": 2, "maxItems": 4},
        _scores,
    ),
}
