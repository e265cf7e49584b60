"""What an installation went on with although a gate said no: kept for an installed bundle, whose manifest is sealed.

An installed bundle has a link ``forced.json``, laid by the installer, to a record that is root's. Whoever shows its
manifest shows that, too: a bundle that was forced in must not look like one that passed.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from edgekit import __version__
from edgekit.bundle.bundle import Bundle
from edgekit.config import load_json
from edgekit.config.writing import write_json
from edgekit.errors import ConfigError

FORCED = "forced.json"
_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class ForcedGate:
    """A gate that was passed over.

    - ``gate``: "check", "profile", or "compile", which asks what it made; ``why`` it said no, with the figures that it
      went by; ``figures``: those by name
    - ``release``: the ID of the release that was installed, ``at``: the wall clock then, by ISO 8601
    - ``edgekit``: the version that installed it
    """

    gate: str
    why: str
    release: str
    at: str
    edgekit: str = __version__
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def is_of_answers(self) -> bool:
        """Whether it was answers that fell short."""
        return self.gate in ("compile", "check")

    @property
    def text(self) -> str:
        """As people read it."""
        return f"{self.gate}, at the install on {self.at[:10]}: {self.why}"


@dataclass(frozen=True, kw_only=True)
class _ForcedGates:
    format: int = _FORMAT
    gates: tuple[ForcedGate, ...]


def forced_at_install(bundle: Bundle) -> tuple[ForcedGate, ...]:
    """Return what was forced when ``bundle`` was installed, in its order; () for one that is not installed.

    :class:`ConfigError` where the record can't be read.
    """
    link = bundle.path / FORCED
    record = Path(os.path.realpath(link))
    return _read(record) if link.is_symlink() and record.exists() else ()


def keep_forced(record: Path, gate: ForcedGate) -> None:
    """Add what was just forced to an installed bundle's record; the same gate of the same release counts once.

    :class:`~edgekit.errors.EdgeKitError` as of the disk.
    """
    earlier: tuple[ForcedGate, ...] = ()
    with suppress(ConfigError):  # one that can't be read is written anew: what is forced now counts
        earlier = _read(record) if record.exists() else ()
    kept = [one for one in earlier if (one.gate, one.release) != (gate.gate, gate.release)]
    write_json(record, _ForcedGates(gates=(*kept, gate)))


def _read(record: Path) -> tuple[ForcedGate, ...]:
    return load_json(record, _ForcedGates, _FORMAT, "Use the EdgeKit that installed it.").gates
