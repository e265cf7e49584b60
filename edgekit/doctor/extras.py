"""What EdgeKit and each of its extras need of other packages, by the metadata of the EdgeKit that is installed.

Core metadata (packaging.python.org): Requires-Dist with its markers, and Provides-Extra.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion

from edgekit.doctor.finding import Finding
from edgekit.doctor.host import Host
from edgekit.doctor.nvidia import wants_gpu
from edgekit.target import Target


def extras(host: Host, target: Target) -> Iterator[Finding]:
    """A line for what EdgeKit always needs, and one for each extra; an extra is needed where the target needs it."""
    own = host.installed("edgekit")
    if own is None:
        what = "EdgeKit runs from its source without being installed: nothing tells what it needs"
        yield Finding("packages", "unknown", what, "pip install .   (in EdgeKit's folder)")
        return
    requirements = list(_requirements(own.requires or []))
    absent, wrong = _lacking(host, requirements, "")
    if absent or wrong:
        yield Finding("packages", "bad", f"lacks {', '.join(absent + wrong)}", "pip install edgekit")
    else:
        yield Finding("packages", "good", f"EdgeKit {own.version} has all that it always needs")
    for extra in own.metadata.get_all("Provides-Extra") or []:
        yield _extra(host, target, requirements, extra)


def _extra(host: Host, target: Target, requirements: list[Requirement], extra: str) -> Finding:
    """Wrong versions would fail when used, so they are bad; a whole extra may be missing where nobody needs it."""
    absent, wrong = _lacking(host, requirements, extra)
    subject = f"extra {extra}"
    if not absent and not wrong:
        return Finding(subject, "good", "complete")
    mend = f"pip install 'edgekit[{extra}]'"
    if host.l4t == 36 and any(name.startswith("onnxruntime-gpu") for name in absent):
        mend = f"pip install {' '.join(_quoted(requirements, extra))}   (and the runtime, as said above)"
    needed = extra == "gpu" and wants_gpu(target)
    what = f"lacks {', '.join(absent + wrong)}"
    if wrong or needed:
        return Finding(subject, "bad", what, mend)
    return Finding(subject, "good", f"{what}; target {target.name} needs none of it", mend)


def _quoted(requirements: list[Requirement], extra: str) -> list[str]:
    """An extra's packages without the runtime, which JetPack 6 gets from elsewhere."""
    found = [found for found in requirements if _wanted(found, extra) and found.name != "onnxruntime-gpu"]
    return [f"'{needed.name}{needed.specifier}'" for needed in found]


def _requirements(lines: list[str]) -> Iterator[Requirement]:
    for line in lines:
        with suppress(InvalidRequirement):
            yield Requirement(line)


def _wanted(requirement: Requirement, extra: str) -> bool:
    """Whether ``extra`` asks for it (with "": whether it is always needed) on this machine."""
    marker = requirement.marker
    if marker is None:
        return not extra
    return marker.evaluate({"extra": extra}) and not (extra and marker.evaluate({"extra": ""}))


def _lacking(host: Host, requirements: list[Requirement], extra: str) -> tuple[list[str], list[str]]:
    """The packages that are not there, and those that are of a version that does not do."""
    absent, wrong = [], []
    for needed in (found for found in requirements if _wanted(found, extra)):
        # One of the two builds of ONNX Runtime stands for the other.
        found = host.installed(needed.name) or (
            host.installed("onnxruntime-gpu") if needed.name == "onnxruntime" else None
        )
        if found is None:
            absent.append(needed.name)
        elif not _fits(needed, found.version):
            wrong.append(f"{needed.name}{needed.specifier} (has {found.version})")
    return absent, wrong


def _fits(needed: Requirement, version: str) -> bool:
    try:
        return needed.specifier.contains(version, prereleases=True)
    except InvalidVersion:
        return True  # a build of someone else's, who knows what it is
