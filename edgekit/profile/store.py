"""Profiles in a bundle's ``profiles`` folder: one JSON file each, named after the device and the time."""

from __future__ import annotations

import os
from pathlib import Path

from edgekit.bundle import PROFILES, Bundle
from edgekit.config import load_json
from edgekit.config.writing import write_json
from edgekit.errors import ConfigError, EdgeKitError
from edgekit.files import require_space, writing
from edgekit.profile.record import FORMAT, Profile

_ROOM = 1 << 20  # some times what a profile takes


def require_room(bundle: Bundle) -> None:
    """Refuse before minutes of measuring what could not be kept afterwards."""
    folder = bundle.path / PROFILES
    with writing(folder):
        folder.mkdir(exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(None, "Permission denied")
    require_space(folder / "profile", _ROOM)


def store(bundle: Bundle, profile: Profile) -> Path:
    """Write a profile into its bundle, whole or not at all; return its path.

    :class:`~edgekit.errors.EdgeKitError` where the bundle can't be written to.
    """
    stamp = profile.measured_at.replace("-", "").replace(":", "")
    path = bundle.path / PROFILES / f"{profile.device.fingerprint}-{stamp}.json"
    with writing(path):
        path.parent.mkdir(exist_ok=True)
        write_json(path, profile)
    return path


def load_profile(path: Path) -> Profile:
    """Read one; :class:`ConfigError` where it is none, or of another version of EdgeKit."""
    return load_json(path, Profile, FORMAT, "Profile it again.")


def profiles(bundle: Path) -> list[Profile]:
    """List the profiles of a bundle that can be read, the newest first; others are passed over."""
    readable = [_readable(path) for path in sorted((bundle / PROFILES).glob("*.json"))]
    return sorted(filter(None, readable), key=lambda profile: profile.measured_at, reverse=True)


def newest(path: Path) -> Profile:
    """Return a profile by its file, or by its bundle, whose newest it then is.

    :class:`ConfigError` where there is none.
    """
    if not path.is_dir():
        return load_profile(path)
    kept = profiles(path)
    if not kept:
        raise ConfigError(f"{path} has no profile", f"Make one: edgekit profile {path}")
    return kept[0]


def _readable(path: Path) -> Profile | None:
    try:
        return load_profile(path)
    except EdgeKitError:
        return None  # of another version, or damaged: measuring again is all that helps
