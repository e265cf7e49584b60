"""Which bundle is served where none is named: the installed one, else the embedded model's."""

from __future__ import annotations

import os
from pathlib import Path

from edgekit import __version__
from edgekit.bundle import open_bundle
from edgekit.errors import BundleError, ConfigError
from edgekit.phantom.embedded import embedded
from edgekit.progress import Progress, silent
from edgekit.recipe import recipe
from edgekit.target import target

INSTALLED = Path("/opt/edgekit/current/bundle")
RECIPE = "q4"


def bundle_to_serve(progress: Progress = silent) -> Path:
    """Return the installed bundle, or the embedded model's, which is built once for this user.

    :class:`~edgekit.errors.EdgeKitError` where it can't be built.
    """
    if INSTALLED.exists():
        return INSTALLED
    kept = _kept()
    try:
        open_bundle(kept)
    except BundleError:
        from edgekit.pipeline import build  # which loads all that graphs are written with

        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"The embedded model can't be built in {kept.parent}: {error.strerror}"
            raise ConfigError(
                message, "Set XDG_CACHE_HOME to a folder of yours, or name a bundle: edgekit serve BUNDLE"
            ) from None
        build(embedded(), target("cpu"), recipe(RECIPE), kept, progress=progress)
    return kept


def bundle_that_is_here() -> Path | None:
    """Return what :func:`bundle_to_serve` would, whether it can be opened or not; None where it would have to build."""
    try:
        return next((path for path in (INSTALLED, _kept()) if path.exists()), None)
    except ConfigError:
        return None


def _kept() -> Path:
    """Where the embedded model's bundle is kept; that of another version is not this one's."""
    return cache_folder() / f"embedded-{RECIPE}-{__version__}"


def cache_folder() -> Path:
    """Return the folder for what can be made anew, as the XDG Base Directory Specification has it."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(named):
        return Path(named) / "edgekit"
    try:
        return Path.home() / ".cache" / "edgekit"
    except RuntimeError:
        hint = "Set HOME or XDG_CACHE_HOME, or name a bundle: edgekit serve BUNDLE"
        raise ConfigError("There is no home folder to build the embedded model in", hint) from None
