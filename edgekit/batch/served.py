"""Which of a server's models is asked, from its list of them (``GET /v1/models``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit.errors import InputError

_AT_ONCE = 4
_MOST_AHEAD = 8
_MOST_SLOTS = 64


@dataclass(frozen=True)
class ServedModel:
    """A model by its name, where EdgeKit serves it with its bundle's ``fingerprint``, and how many rows are asked
    ``at_once``: two for a slot, since the next one's pictures are sent and decoded while an answer is written."""

    name: str
    fingerprint: str | None = None
    at_once: int = _AT_ONCE


def choose(document: Any, name: str | None, url: str) -> ServedModel:
    """Return the model called ``name``, or without one the only model that a list of them has.

    The same model under several names is one. :class:`InputError` where there is no such model, there are several, or
    ``document`` is no list of models.
    """
    try:
        models = [_model(entry) for entry in document["data"]]
    except (KeyError, TypeError, ValueError):
        raise InputError(
            f"{url} does not list its models as OpenAI's API has it", "Check the address: it may be another service's."
        ) from None
    names = ", ".join(model.name for model in models[:20]) or "none"
    if name is not None:
        served = next((model for model in models if model.name == name), None)
        if served is None:
            raise InputError(f"{url} has no model {name!r}; it has: {names}", "Give one of them by --model.")
        return served
    same = len({model.fingerprint for model in models}) == 1 and models[0].fingerprint is not None
    if not models or (len(models) > 1 and not same):
        raise InputError(f"{url} has not one model, but: {names}", "Say which is asked by --model.")
    return models[0]


def _model(entry: Any) -> ServedModel:
    facts = entry.get("edgekit") if isinstance(entry, dict) else None
    if not isinstance(entry["id"], str):
        raise ValueError("a name is a text")
    if not isinstance(facts, dict):
        return ServedModel(entry["id"])
    slots = facts.get("slots")
    at_once = _AT_ONCE
    if isinstance(slots, int) and not isinstance(slots, bool) and slots > 0:
        slots = min(slots, _MOST_SLOTS)
        at_once = slots + min(slots, _MOST_AHEAD)  # a service lets 16 of one caller wait, unless its site says less
    return ServedModel(entry["id"], facts.get("fingerprint"), at_once)
