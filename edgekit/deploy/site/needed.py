"""Which distributions of an environment a service needs: what EdgeKit requires, and what that requires, and so on.

Core metadata (PyPA): Requires-Dist with its markers, and extras.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from importlib.metadata import Distribution, distributions

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from edgekit.errors import EdgeKitError, MissingExtra
from edgekit.target.kinds import kind_of

OWN = "edgekit"
SERVE = "serve"
_STANDS_IN = {"onnxruntime": "onnxruntime-gpu"}
"""One of the two builds of ONNX Runtime stands for the other."""


def helpful_extras(engine: str) -> tuple[str, ...]:
    """Return the extras of which a service on this engine takes what is there, and misses nothing that is not."""
    return ("dicom", *(("gpu", "jetson", "rtx", "tensorrt") if kind_of(engine).on_gpu else ()))


def needed(helpful: Iterable[str], path: Sequence[str] | None = None) -> list[Distribution]:
    """List the distributions that ``edgekit[serve]`` needs, with what is there of the extras ``helpful``, by name.

    ``path``: the folders of packages, ``sys.path`` without. :class:`MissingExtra` where one of `serve` is missing,
    :class:`EdgeKitError` where another is, or is of a version that does not do.
    """
    walk = _Walk(path)
    own = walk.find(OWN)
    if own is None:
        raise EdgeKitError(
            "EdgeKit runs from its source, and nobody has written down what it needs",
            "Install it: pip install '.[serve]' in its folder. Or give --wheels.",
        )
    walk.taken[OWN] = own
    walk.follow(own, "")
    walk.follow(own, SERVE)
    for extra in helpful:
        walk.follow(own, extra, all_of_it=False)
    return [distribution for _, distribution in sorted(walk.taken.items())]


class _Walk:
    """From one distribution to what it requires, each once for each of its extras."""

    def __init__(self, path: Sequence[str] | None) -> None:
        self.taken: dict[str, Distribution] = {}
        self._path = path
        self._followed: set[tuple[str, str]] = set()

    def find(self, name: str) -> Distribution | None:
        """The first of its name, as an import would take it."""
        path = sys.path if self._path is None else list(self._path)
        return next(iter(distributions(name=name, path=path)), None)

    def follow(self, distribution: Distribution, extra: str, *, all_of_it: bool = True) -> None:
        """Take what ``extra`` of a distribution requires ("": what it always does)."""
        name = distribution.metadata["Name"]
        if (key := (canonicalize_name(name), extra)) in self._followed:
            return
        self._followed.add(key)
        for requirement in _wanted(distribution, extra):
            package = self.find(requirement.name) or self.find(_STANDS_IN.get(requirement.name, requirement.name))
            if package is None:
                if all_of_it:
                    raise _missing(name, extra, requirement)
                continue
            if not _fits(requirement, package.version):
                raise EdgeKitError(
                    f"{name} needs {requirement.name}{requirement.specifier}, and {package.version} is installed",
                    f"Run: pip install '{requirement.name}{requirement.specifier}'",
                )
            self.taken[canonicalize_name(package.metadata["Name"])] = package
            for asked in ("", *requirement.extras):
                self.follow(package, asked)


def _wanted(distribution: Distribution, extra: str) -> Iterator[Requirement]:
    for requirement in _requirements(distribution.requires or ()):
        if requirement.marker is None:
            if not extra:
                yield requirement
        elif requirement.marker.evaluate({"extra": extra}) and not (
            extra and requirement.marker.evaluate({"extra": ""})
        ):
            yield requirement


def _requirements(lines: Iterable[str]) -> Iterator[Requirement]:
    """What others wrote, and pip has installed nevertheless, is left out where nobody can read it."""
    for line in lines:
        with suppress(InvalidRequirement):
            yield Requirement(line)


def _fits(requirement: Requirement, version: str) -> bool:
    try:
        return requirement.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return True  # a build of someone else's, who knows what it is


def _missing(name: str, extra: str, requirement: Requirement) -> EdgeKitError:
    if canonicalize_name(name) == OWN and extra:
        return MissingExtra("A service", extra)
    what = f"{requirement.name}{requirement.specifier}"
    return EdgeKitError(f"{name} needs {what}, which is not installed", f"Run: pip install '{what}'")
