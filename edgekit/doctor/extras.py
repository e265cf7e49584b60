"""What EdgeKit and each of its extras need of other packages, by the metadata of the EdgeKit that is installed.

Core metadata (packaging.python.org): Requires-Dist with its markers, and Provides-Extra.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from edgekit.doctor.diagnosis import Diagnosis
from edgekit.doctor.nvidia import wants_gpu_build
from edgekit.doctor.runtime import gpu_build
from edgekit.machine.host import Host
from edgekit.target import Target


def extras(host: Host, target: Target) -> Iterator[Diagnosis]:
    """Yield a line for what EdgeKit always needs, and one for each extra, which is needed where the target needs it."""
    own = host.installed("edgekit")
    if own is None:
        what = "EdgeKit runs from its source without being installed: nothing tells what it needs"
        yield Diagnosis("packages", "unknown", what, "pip install .   (in EdgeKit's folder)")
        return
    requirements = list(_requirements(own.requires or []))
    lacking = _lacking(host, requirements, "")
    if lacking:
        yield Diagnosis("packages", "bad", f"lacks {_named(lacking)}", _pip(list(lacking)))
    else:
        yield Diagnosis("packages", "good", f"EdgeKit {own.version} has all that it always needs")
    for extra in own.metadata.get_all("Provides-Extra") or []:
        yield _extra(host, target, extra, _lacking(host, requirements, extra))


def _extra(host: Host, target: Target, extra: str, lacking: dict[Requirement, str]) -> Diagnosis:
    """Wrong versions would fail when used, so they are bad; a whole extra may be missing where nobody needs it.

    What a Jetson's system dictates, the versions of its extra, is nothing to another machine.
    """
    subject = f"extra {extra}"
    if not lacking:
        return Diagnosis(subject, "good", "complete")
    what = f"lacks {_named(lacking)}"
    of_use = extra != "jetson" or host.machine.jetson
    if (of_use and any(lacking.values())) or (extra == "gpu" and wants_gpu_build(target)):
        return Diagnosis(subject, "bad", what, _mend(host, extra, lacking))
    mend = _mend(host, extra, lacking) if of_use else ""
    return Diagnosis(subject, "good", f"{what}; target {target.name} needs none of it", mend)


def _mend(host: Host, extra: str, lacking: dict[Requirement, str]) -> str:
    """EdgeKit asks for onnxruntime, so installing "edgekit[…]" would put that beside onnxruntime-gpu and break both:
    where the GPU build is there, or is to come, packages are named one by one."""
    runtimes = [needed for needed in lacking if needed.name == "onnxruntime-gpu"]
    if not runtimes and not host.installed("onnxruntime-gpu"):
        return f"pip install 'edgekit[{extra}]'"
    others = [needed for needed in lacking if needed not in runtimes]
    return "; ".join([gpu_build(host)] * bool(runtimes) + [_pip(others)] * bool(others))


def _named(lacking: dict[Requirement, str]) -> str:
    return ", ".join(
        f"{needed.name}{needed.specifier} (has {version})" if version else needed.name
        for needed, version in lacking.items()
    )


def _pip(needed: list[Requirement]) -> str:
    return "pip install " + " ".join(f"'{requirement.name}{requirement.specifier}'" for requirement in needed)


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


def _lacking(host: Host, requirements: list[Requirement], extra: str) -> dict[Requirement, str]:
    """What is not there, with "", and what is of a version that does not do, with that version."""
    lacking = {}
    for needed in (requirement for requirement in requirements if _wanted(requirement, extra)):
        # One of the two builds of ONNX Runtime stands for the other.
        other = "onnxruntime-gpu" if needed.name == "onnxruntime" else needed.name
        package = host.installed(needed.name) or host.installed(other)
        if package is None:
            lacking[needed] = ""
        elif not _fits(needed, package.version):
            lacking[needed] = package.version
    return lacking


def _fits(needed: Requirement, version: str) -> bool:
    try:
        return needed.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return True  # a build of someone else's, who knows what it is
