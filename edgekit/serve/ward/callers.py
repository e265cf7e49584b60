"""Whom the engine takes somebody for in a conversation that is another's."""

from __future__ import annotations

from dataclasses import replace

from edgekit.serve.caller import Caller


def caller_in(caller: Caller, owner: str) -> Caller:
    """Return whom the engine takes a caller for in a conversation of ``owner``'s.

    Of another's conversation nothing is remembered with the caller's own, nor with its owner's, so that the time of an
    answer tells nobody what was asked elsewhere; and nothing outlasts the day on which its owner takes it back. He
    shares slots and limits as himself.
    """
    if caller.id == owner:
        return caller
    return replace(caller, holder=f"{caller.holder} for {owner}".strip(), network=caller.share)
