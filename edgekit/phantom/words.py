"""The small language of the phantoms: how findings and their places are named."""

from __future__ import annotations

from collections.abc import Sequence

from edgekit.phantom.scene import Finding, Kind, Side, Zone

# A noun for answers, and the other words that a question may use.
NOUNS: dict[Kind, tuple[str, ...]] = {
    "heart": ("enlarged heart", "big heart"),
    "nodule": ("nodule",),
    "consolidation": ("consolidation",),
    "effusion": ("pleural effusion", "effusion"),
    "pneumothorax": ("pneumothorax",),
    "pacemaker": ("pacemaker",),
    "tube": ("chest tube", "drain"),
}
NUMBERS = ("none", "one", "two", "three")


def a(noun: str) -> str:
    """Return the noun with its article."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def name(kind: Kind) -> str:
    """Return a kind as answers name it: "a nodule"."""
    return a(NOUNS[kind][0])


def zone(side: Side, height: Zone) -> str:
    """Return the words for a zone: "left upper zone"."""
    return f"{side} {height} zone"


def place(finding: Finding) -> str:
    """Return where a finding lies, as exactly as its kind can vary: "in the left upper zone", "on the left"."""
    assert finding.side is not None and finding.zone is not None, "a heart has no place of its own"
    if finding.kind in ("nodule", "consolidation"):
        return f"in the {zone(finding.side, finding.zone)}"
    return f"on the {finding.side}"


def phrase(finding: Finding) -> str:
    """Return a finding with its place: "a nodule in the left upper zone"."""
    return name(finding.kind) if finding.side is None else f"{name(finding.kind)} {place(finding)}"


def listed(items: Sequence[str]) -> str:
    """List words: "x", "x and y", "x, y and z"; "nothing" for none."""
    if len(items) < 2:
        return items[0] if items else "nothing"
    return f"{', '.join(items[:-1])} and {items[-1]}"


def description(findings: Sequence[Finding]) -> str:
    """Return the whole picture in one sentence."""
    if not findings:
        return "There are no findings."
    return f"There is {listed([phrase(finding) for finding in findings])}."
