"""When a device's certificate is due for a new one, and how long that lasts: decided by dates and names alone.

The clock is believed as far as it can be right. Before EdgeKit's release, or before the authority was made, it is
wrong: then nothing is judged by it, and a certificate that has to be made lasts long, from the latest day that is known
to be past.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from edgekit.errors import ConfigError
from edgekit.serve.tls.authority import Authority
from edgekit.serve.tls.leaf import Leaf, make_leaf, read_leaf
from edgekit.serve.tls.names import Names

DAYS = 90
LONGEST_DAYS = 397
"""For a clock that can't be right. Apple takes 825 days at most (support.apple.com/103769)."""


@dataclass(frozen=True)
class Due:
    """What is due: the certificate that there is, what one should be for, and why a new one is made ("": it is not)."""

    leaf: Leaf | None
    wanted: Names
    reason: str


def examine(folder: Path, authority: Authority, device: Names, clock: datetime) -> Due:
    """Examine whether a folder's certificate is due; one that is damaged or open to others is."""
    try:
        leaf = read_leaf(folder)
    except ConfigError as error:
        return Due(None, wanted_names(authority, device, None), error.message)
    wanted = wanted_names(authority, device, leaf)
    return Due(leaf, wanted, reason_to_renew(leaf, authority, wanted, clock))


def wanted_names(authority: Authority, device: Names, leaf: Leaf | None) -> Names:
    """Return what a certificate should be for: what the authority was made for, and what the device is called now or
    its certificate was given since, as far as the authority may sign that."""
    permitted = authority.names
    since = Names(leaf.names.dns) if leaf else Names()
    return permitted.single() | device.within(permitted) | since.within(permitted)


def reason_to_renew(leaf: Leaf | None, authority: Authority, wanted: Names, clock: datetime) -> str:
    """Return why a new certificate is due; "" where the old one does.

    A name that is no longer wanted is no reason: interfaces come and go.
    """
    if leaf is None:
        return "there is none"
    if not leaf.is_of(authority):
        return "it is another authority's"
    if lacking := wanted.without(leaf.names):
        return f"it lacks {', '.join(lacking.words())}"
    if clock < authority.earliest:
        return ""
    if clock < leaf.begins:
        return f"it begins on {leaf.begins:%Y-%m-%d}, and the clock says {clock:%Y-%m-%d}"
    if leaf.ends - clock < (leaf.ends - leaf.begins) / 3:
        return "less than a third of its life is left"
    return ""


def next_leaf(due: Due, authority: Authority, clock: datetime) -> Leaf:
    """Make the certificate that follows.

    Where the clock says a day before the last one's, either may be wrong: the long life covers today by both.
    :class:`~edgekit.errors.ConfigError` where the authority has ended.
    """
    if clock >= authority.ends:
        ended = f"The certificate authority ended on {authority.ends:%Y-%m-%d}, and the clock says {clock:%Y-%m-%d}"
        raise ConfigError(ended, "Run: edgekit tls make --force   Every phone has to trust the new one.")
    last = due.leaf.begins if due.leaf else authority.earliest
    if clock < authority.earliest:
        return make_leaf(authority, due.wanted, max(last, authority.earliest), LONGEST_DAYS)
    return make_leaf(authority, due.wanted, clock, LONGEST_DAYS if clock < last else DAYS)
