"""How a release stands: verified, staged, compiled, checked, profiled, on trial, committed; or rolled back, and why.

What decides after a power cut lies in small files of ``state/``, each written whole or not at all:

```
trial       JSON: the release on trial, the one before, how the trial goes. It is there from before the old service is
            stopped until the new one is committed or gone: as long as it is, something has to be watched, or ended
committed   JSON: the release that proved itself last, and the one before it, which is kept
bad         releases that failed here, an ID a line
rescue      a link to the release whose code watches a trial and ends it: never the one on trial, where there is another
```
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from edgekit.config import load, seal
from edgekit.config.state import flush_folder
from edgekit.config.writing import write_json
from edgekit.deploy.layout import Layout
from edgekit.errors import ConfigError, GateRefused
from edgekit.files import write_text, writing

T = TypeVar("T")
_Note = TypeVar("_Note", "Trial", "Committed")
TRIAL, COMMITTED, BAD, RESCUE = "trial", "committed", "bad", "rescue"
SHORT = 12


class State(Enum):
    """How far a release came."""

    VERIFIED = "verified"
    STAGED = "staged"
    COMPILED = "compiled"
    CHECKED = "checked"
    PROFILED = "profiled"
    TRIAL = "trial"
    COMMITTED = "committed"
    ROLLED_BACK = "rolled back"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A release on trial.

    - ``release``, ``previous``: its ID, and that of the one to go back to, "" without one
    - ``boot``: the machine's start in which it was begun; ``began``: the wall clock then, by ISO 8601
    - ``healthy``, ``unhealthy``: looks in a row, a minute apart, at which the service answered, or did not
    - ``restarts``: how often systemd had started it again by itself since its last start, at the last look;
      ``crashes``: how often in the whole trial
    - ``forced``: the gates that were passed over
    """

    release: str
    previous: str
    boot: str = ""
    began: str = ""
    healthy: int = 0
    unhealthy: int = 0
    restarts: int = 0
    crashes: int = 0
    forced: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Committed:
    """The release that proved itself last.

    - ``previous``: the one before it, "" without one; ``at``: the wall clock then, by ISO 8601
    - ``forced``: the gates that were passed over for it
    """

    release: str
    previous: str = ""
    at: str = ""
    forced: tuple[str, ...] = ()


def read_trial(layout: Layout) -> Trial | None:
    """Return the trial that goes on; None without one. :class:`ConfigError` where its file can't be read."""
    path = layout.state / TRIAL
    return _load(path, Trial) if path.exists() else None


def trial_to_end(layout: Layout) -> Trial | None:
    """Return the trial that goes on as far as going back needs it; None without one.

    Where its file can't be read, the links tell it: what `current` names is on trial, and what `rescue` names was
    before. :class:`ConfigError` where they don't, either.
    """
    try:
        return read_trial(layout)
    except ConfigError:
        running, before = layout.running() or "", rescue(layout)
        # The first release that is tried has none before it, and watches over itself: it was never committed.
        is_before = before != running or ((committed := read_committed(layout)) and committed.release == before)
        if before not in layout.identities() or not is_before:
            raise
        return Trial(release=running if running != before else "", previous=before)


def write_trial(layout: Layout, trial: Trial) -> None:
    """Note a trial, on the disk."""
    write_json(layout.state / TRIAL, trial, "lines")


def end_trial(layout: Layout) -> None:
    """Note that no release is on trial."""
    _remove(layout.state / TRIAL)


def read_committed(layout: Layout) -> Committed | None:
    """Return what was committed last; None before the first. :class:`ConfigError` where its file can't be read."""
    path = layout.state / COMMITTED
    return _load(path, Committed) if path.exists() else None


def write_committed(layout: Layout, committed: Committed) -> None:
    """Note what proved itself, on the disk."""
    write_json(layout.state / COMMITTED, committed, "lines")


def bad(layout: Layout) -> tuple[str, ...]:
    """List the releases that failed here."""
    try:
        return tuple((layout.state / BAD).read_text(encoding="ascii", errors="replace").split())
    except FileNotFoundError:
        return ()


def remember_bad(layout: Layout, identity: str) -> None:
    """Remember that a release failed here."""
    _write_bad(layout, [*(other for other in bad(layout) if other != identity), identity])


def forget_bad(layout: Layout, identity: str) -> None:
    """Let a release that failed here be tried again."""
    if identity in bad(layout):
        _write_bad(layout, [other for other in bad(layout) if other != identity])


def require_not_bad(layout: Layout, identity: str) -> None:
    """Raise :class:`GateRefused` where a release failed here before."""
    if identity in bad(layout):
        raise GateRefused(
            f"The release {identity[:SHORT]} failed on this machine before",
            "`edgekit status` says why. Install another bundle, or try this one again with --retry.",
        )


def point(link: Path, target: str) -> None:
    """Make a relative link lead to ``target``, at once and on the disk; an older one is replaced.

    :class:`~edgekit.errors.EdgeKitError` as of the disk.
    """
    with writing(link):
        link.parent.mkdir(parents=True, exist_ok=True)
        beside = link.with_name(f".{link.name}.new")
        beside.unlink(missing_ok=True)
        beside.symlink_to(target)
        os.replace(beside, link)
        flush_folder(link.parent)


def unpoint(link: Path) -> None:
    """Remove a link, on the disk; none is right, too."""
    _remove(link)


def rescue(layout: Layout) -> str:
    """Return the ID of the release whose code ends a trial; "" where none was named."""
    try:
        return Path(os.readlink(layout.state / RESCUE)).name
    except OSError:
        return ""


def set_rescue(layout: Layout, identity: str) -> None:
    """Name the release whose code ends a trial; "" for none."""
    link = layout.state / RESCUE
    if identity:
        point(link, os.path.relpath(layout.release(identity), layout.state))
    else:
        unpoint(link)


@dataclass(frozen=True)
class Standing:
    """How an installation stands: the ID that ``current`` names ("" for none), the trial, what was committed, which
    releases failed. ``problems`` says what of it can't be read."""

    running: str
    trial: Trial | None
    committed: Committed | None
    bad: tuple[str, ...]
    problems: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """Whether what runs is on trial or committed; "" where nothing is installed."""
        if not self.running:
            return ""
        on_trial = self.trial is not None and self.trial.release == self.running
        return str(State.TRIAL.value if on_trial else State.COMMITTED.value)


def standing(layout: Layout) -> Standing:
    """Look how an installation stands; nothing is raised."""
    problems: list[str] = []

    def read(look: Callable[[Layout], T]) -> T | None:
        try:
            return look(layout)
        except ConfigError as error:
            problems.append(error.message)
            return None

    running = read(Layout.running) or ""
    return Standing(running, read(read_trial), read(read_committed), bad(layout), tuple(problems))


def _load(path: Path, kind: type[_Note]) -> _Note:
    """Read a note, which a newer version may have written: what it added is passed over, and all but the releases where
    the rest reads otherwise there."""
    try:
        document, _ = seal.loads(path.read_bytes(), str(path))
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}", "Look what lies there.") from None
    told = document if isinstance(document, dict) else {}
    try:
        return load(kind, _some(told, *(field.name for field in fields(kind))), str(path))
    except ConfigError:
        return load(kind, _some(told, "release", "previous"), str(path))


def _some(document: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: document[name] for name in names if name in document}


def _write_bad(layout: Layout, identities: list[str]) -> None:
    write_text(layout.state / BAD, "".join(f"{identity}\n" for identity in identities))


def _remove(path: Path) -> None:
    with writing(path):
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            flush_folder(path.parent)
