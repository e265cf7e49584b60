"""What several architectures share: activations by transformers' names, checks that widths fit together."""

from __future__ import annotations

from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.spec import Activation
from edgekit.errors import CheckpointError

# gelu_new, gelu_fast and gelu_pytorch_tanh are three ways to write the same tanh approximation.
_ACTIVATIONS: dict[str, Activation] = {
    "silu": "silu",
    "swish": "silu",
    "quick_gelu": "quick_gelu",
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
}


def activation(config: Fields, key: str, default: str) -> Activation:
    """Return the activation under ``key``."""
    name = config.text(key, default)
    if name not in _ACTIVATIONS:
        raise config.error(key, f"one of {', '.join(_ACTIVATIONS)}")
    return _ACTIVATIONS[name]


def side(config: Fields, key: str, default: int | None = None) -> int:
    """Return the side of a square, written as a number or as two equal ones."""
    value = config.values.get(key)
    if isinstance(value, list) and len(value) == 2 and value[0] == value[1]:
        return Fields({key: value[0]}, config.origin).count(key)
    return config.count(key, default)


def check_multiple(config: Fields, name: str, value: int, divisor_name: str, divisor: int) -> None:
    """Raise :class:`CheckpointError` unless ``value`` is a multiple of ``divisor``."""
    if value % divisor:
        raise CheckpointError(
            f"In {config.origin}, {name} is {value}, which is no multiple of {divisor_name} ({divisor})",
            "Compare config.json with the published one.",
        )


def selected_layers(config: Fields, depth: int, select: int) -> int:
    """Return how many of a tower's ``depth`` layers are kept when hidden state ``select`` is read (−1 is the last)."""
    kept = select + 1 + depth if select < 0 else select
    if not 1 <= kept <= depth:
        raise CheckpointError(
            f"The projector reads layer {select} of a vision tower with {depth} layers ({config.origin})",
            "Compare config.json with the published one.",
        )
    return kept
