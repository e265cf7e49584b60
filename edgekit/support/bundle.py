"""What is served: the bundle's manifest, what was measured of it here, and what its checks said. No graphs, no
weights, no questions and answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgekit import config
from edgekit.bundle import open_bundle
from edgekit.bundle.bundle import Bundle
from edgekit.check.fidelity import read_fidelity
from edgekit.check.verdict import verdict_of
from edgekit.engines.lock import Form, forms
from edgekit.errors import EdgeKitError
from edgekit.profile.store import profiles
from edgekit.support.topic import Subject

MOST = 5
"""Profiles that go along, the newest."""


def manifest(subject: Subject) -> dict[str, Any]:
    """Return a bundle's manifest, its digest and where it lies; errors as of opening it."""
    bundle = _bundle(subject)
    return {"path": str(bundle.path), "digest": bundle.digest, "manifest": config.dump(bundle.manifest)}


def measured(subject: Subject) -> list[Any]:
    """Return the newest profiles, without the course of their runs."""
    documents = [config.dump(profile) for profile in profiles(_path(subject))[:MOST]]
    return [{key: value for key, value in document.items() if key != "moments"} for document in documents]


def checks(subject: Subject) -> dict[str, Any]:
    """Return what the golden check said at the build, and here of each compiled form."""
    bundle = _bundle(subject)
    return {"built": _built(bundle), "forms": [_form(form) for form in forms(bundle)]}


def _built(bundle: Bundle) -> dict[str, Any]:
    try:
        report = read_fidelity(bundle)
    except EdgeKitError as error:
        return {"error": error.message}
    return {"figures": config.dump(report.figures), "components": config.dump(report.components)}


def _form(form: Form) -> dict[str, Any]:
    place = form.lock.place if form.lock else None
    return {
        "folder": form.folder.name,
        "misfit": form.misfit,
        "place": config.dump(place),
        "check": config.dump(verdict_of(form.folder)),
    }


def _path(subject: Subject) -> Path:
    if subject.bundle is None:
        raise EdgeKitError("No bundle is installed, and none was named", "Name the one that is served.")
    return subject.bundle


def _bundle(subject: Subject) -> Bundle:
    return open_bundle(_path(subject))
