"""A machine's authority and certificate: what a person compares on the phone, and what for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit.cli.common import show_notes
from edgekit.console import Console

if TYPE_CHECKING:
    from edgekit.serve.tls.make import TlsState
    from edgekit.serve.tls.pem import Pair


def show_state(console: Console, state: TlsState) -> None:
    """Show an authority and its certificate; notes on stderr."""
    authority = state.authority
    console.fields(
        [
            ("authority", f"{_made('authority', state)}{state.handed_out}"),
            ("fingerprint", authority.fingerprint),
            ("may sign for", ", ".join(authority.names.words())),
            ("lasts", _dates(authority)),
        ]
    )
    if leaf := state.leaf:
        console.print()
        pairs = [("certificate", f"{_made('leaf', state)}{state.leaf_file}"), ("is for", ", ".join(leaf.names.words()))]
        console.fields([*pairs, ("lasts", f"{_dates(leaf)}; a service renews it by itself")])
    if "leaf" in state.made:
        console.print("\nA service that runs with TLS shows it, and answers by its names, within half an hour.")
    if "authority" in state.made:
        console.print(f"\nHand out {state.handed_out} and nothing else; compare the fingerprint (SHA-256) where it is")
        console.print("installed. Whoever trusts it trusts this machine, by these names alone.")
    show_notes(console, state.notes)


def _made(part: str, state: TlsState) -> str:
    return "made just now: " if part in state.made else ""


def _dates(pair: Pair) -> str:
    return f"from {pair.begins:%Y-%m-%d} to {pair.ends:%Y-%m-%d}"
