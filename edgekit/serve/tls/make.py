"""``edgekit tls make`` and ``edgekit tls show``: a device's authority and certificate, made and looked at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from edgekit.config.site import locked, site_folder
from edgekit.errors import ConfigError, InputError
from edgekit.serve.tls.authority import (
    Authority,
    is_handed_out,
    make_authority,
    private_file,
    public_file,
    read_authority,
    write_authority,
)
from edgekit.serve.tls.leaf import Leaf, leaf_file, write_leaf
from edgekit.serve.tls.names import Names, device_names
from edgekit.serve.tls.renew import Due, examine, next_leaf

_SOON = timedelta(days=365)
_ANEW = "Run edgekit tls make --force with all names for a new one, which every phone has to trust anew."
_SHORTEST = {4: 8, 6: 8}
"""The prefixes of the widest private networks: 10.0.0.0/8 (RFC 1918) and fd00::/8 (RFC 4193)."""


@dataclass(frozen=True)
class TlsState:
    """A device's authority and certificate, which of them were made just now, and what is to be said of them."""

    folder: Path
    authority: Authority
    leaf: Leaf | None
    made: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def handed_out(self) -> Path:
        """The authority's certificate, for whoever is to trust it."""
        return public_file(self.folder)

    @property
    def leaf_file(self) -> Path:
        """The certificate and its key."""
        return leaf_file(self.folder)

    def document(self) -> dict[str, Any]:
        """Return a state as JSON has it; the keys themselves stand in none."""
        authority = {"file": str(self.handed_out), "fingerprint": self.authority.fingerprint}
        return {
            "authority": authority | _dated(self.authority),
            "leaf": {"file": str(self.leaf_file)} | _dated(self.leaf) if self.leaf else None,
            "made": list(self.made),
            "notes": list(self.notes),
        }


def _dated(pair: Authority | Leaf) -> dict[str, Any]:
    form = "%Y-%m-%dT%H:%M:%SZ"
    dates = {"not_before": f"{pair.begins:{form}}", "not_after": f"{pair.ends:{form}}"}
    return {"names": list(pair.names.words())} | dates


def tls_folder() -> Path:
    """Return where this site's certificates lie."""
    return site_folder() / "tls"


def show(folder: Path, clock: datetime, device: Names | None = None) -> TlsState:
    """Read what lies in a folder, and say what is to be said of it for ``device``, this machine's names without it.

    :class:`~edgekit.errors.ConfigError` where there is no authority, or a damaged one.
    """
    authority = read_authority(folder)
    if authority is None:
        raise ConfigError(f"There is no certificate authority in {folder}", "Run: edgekit tls make")
    device = device_names() if device is None else device
    due = examine(folder, authority, device, clock)
    notes = list(_notes(authority, due, device, clock))
    if not is_handed_out(folder, authority):
        notes.append(f"{public_file(folder)} is not this authority's. Run: edgekit tls make")
    return TlsState(folder, authority, due.leaf, (), tuple(notes))


def make(folder: Path, given: Names, clock: datetime, *, force: bool = False, device: Names | None = None) -> TlsState:
    """Make an authority for ``device`` (this machine, without one) and the ``given`` names, and a certificate by it.

    An authority that is there is kept unless ``force`` makes it anew, and so is a certificate that does.
    :class:`~edgekit.errors.InputError` where given names lie outside what an authority that is kept may sign, or would
    have it sign for everybody, :class:`~edgekit.errors.ConfigError` where root would follow a link.
    """
    _require_few(given)
    _require_no_link(folder)
    device = device_names() if device is None else device
    with locked(private_file(folder)):
        before = _before(folder, force)
        authority = before
        if authority is None or force:
            authority = make_authority(device | given, clock)
            write_authority(folder, authority)
        elif not is_handed_out(folder, authority):
            write_authority(folder, authority)
        due = _due(folder, authority, device, given, clock)
        leaf = due.leaf
        if due.reason or leaf is None:
            leaf = next_leaf(due, authority, clock)
            write_leaf(folder, leaf)
    made = ("authority",) * (authority is not before) + ("leaf",) * (leaf is not due.leaf)
    state = examine(folder, authority, device, clock)
    notes = [*_lost(before, authority), *_notes(authority, state, device, clock)]
    return TlsState(folder, authority, leaf, made, tuple(notes))


def _require_no_link(folder: Path) -> None:
    """Refuse, as root, to write where a link leads: the folder above is the service's, which could lay any."""
    if os.geteuid() == 0 and folder.is_symlink():
        message = f"{folder} is a link, which root does not follow into what others may change"
        raise ConfigError(message, "Look where it leads; put a folder in its place, with what lies there.")


def _require_few(given: Names) -> None:
    """Refuse names that take in other sites' machines: whoever stole the device could be any of them."""
    for network in given.networks:
        if network.prefixlen < _SHORTEST[network.version]:
            raise InputError(f"{network} is more than one site's network", "Give the device's own, as in 10.0.4.0/24.")
    if "local" in given.dns:
        raise InputError("'local' is every device's name", "Give the device's own, as in ward7.local.")


def _before(folder: Path, force: bool) -> Authority | None:
    """The authority that is there; with ``force``, one that is damaged counts as none."""
    try:
        return read_authority(folder)
    except ConfigError:
        if force:
            return None
        raise


def _due(folder: Path, authority: Authority, device: Names, given: Names, clock: datetime) -> Due:
    """What is due with the given names, too; they have to be the authority's."""
    if foreign := given.without(given.within(authority.names)):
        raise InputError(f"The authority in {folder} is not for {', '.join(foreign.words())}", _ANEW)
    due = examine(folder, authority, device | Names(given.dns), clock)
    if foreign := given.single().without(due.wanted):
        words = ", ".join(foreign.words())
        raise InputError(f"{words} is in the authority's network, and no address of this machine", _ANEW)
    return due


def _lost(before: Authority | None, authority: Authority) -> Iterator[str]:
    if before and before is not authority:
        yield "Every phone that trusted the old authority has to trust this one anew."
        if lost := before.names.without(authority.names):
            yield f"The old one was also for {', '.join(lost.words())}."


def _notes(authority: Authority, due: Due, device: Names, clock: datetime) -> Iterator[str]:
    if foreign := device.without(device.within(authority.names)):
        yield f"The authority is not for {', '.join(foreign.words())}, which is this machine now. {_ANEW}"
    if clock < authority.earliest:
        yield f"The clock says {clock:%Y-%m-%d %H:%M}, which can't be: this was made on {authority.earliest:%Y-%m-%d}."
    if authority.ends - clock < _SOON:
        yield f"The authority ends on {authority.ends:%Y-%m-%d}: plan when phones are to trust a new one."
    if due.reason:
        yield f"The service makes a new certificate when it starts, or within half an hour: {due.reason}."
