"""What was restored takes the place of what was there, in steps that a power cut may come between.

It lies whole in ``.restored`` of the service's folder, which says that these steps were begun. Each renames one thing;
done again from any of them on, they end the same. What was there before is moved aside and kept.
"""

from __future__ import annotations

import os
from pathlib import Path

from edgekit.config.state import flush_folder
from edgekit.errors import EdgeKitError
from edgekit.files import writing

RESTORED, REPLACED = ".restored", "replaced"
_INTO = "into"
_BESIDE = ("", "-wal", "-shm", "-journal")


def begun(state: Path) -> bool:
    """Say whether a restore lies ready in ``state``, or was cut off."""
    return (state / RESTORED).is_dir()


def prepare(folder: Path, state: Path) -> None:
    """Write down in ``folder``, which is to become ``.restored``, where what is replaced goes."""
    numbers = (number for number in range(1, 10_000) if not (state / f"{REPLACED}-{number}").exists())
    (folder / _INTO).write_text(f"{REPLACED}-{next(numbers)}", encoding="ascii")


def take_in(state: Path) -> Path | None:
    """Have all that lies in ``.restored`` be in its place; what it replaced is where the path that is returned says,
    None where there was nothing.

    :class:`~edgekit.errors.EdgeKitError` where the system refuses; done again, it goes on.
    """
    restored = state / RESTORED
    aside = None
    with writing(state):
        if (restored / _INTO).exists():  # removed last
            aside = state / (restored / _INTO).read_text(encoding="ascii")
            for path in sorted(restored.iterdir()):
                if path.name != _INTO:
                    _replace(state / path.name, path, aside)
            (restored / _INTO).unlink()
        restored.rmdir()
        flush_folder(state)
    return aside if aside and aside.is_dir() else None


def require_taken_in(state: Path) -> None:
    """Refuse to use what ``state`` keeps where a restore was cut off."""
    if begun(state):
        raise EdgeKitError(f"A restore into {state} was cut off", "Run the same `edgekit restore` again: it goes on.")


def _replace(place: Path, path: Path, aside: Path) -> None:
    for suffix in _BESIDE:
        old = place.with_name(place.name + suffix)
        if os.path.lexists(old):
            aside.mkdir(mode=0o700, exist_ok=True)
            old.rename(aside / old.name)
    if aside.is_dir():
        flush_folder(aside)
    path.rename(place)
    flush_folder(place.parent)
