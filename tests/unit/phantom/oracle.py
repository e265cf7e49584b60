"""A second opinion on phantoms: it reads a question's words, not its topic, and answers from the findings."""

from __future__ import annotations

import re

from edgekit.phantom.scene import Scene

# What a question may call a finding, the longest first, and what an answer calls it.
NAMES = {
    "pleural effusion": "effusion",
    "effusion": "effusion",
    "nodule": "nodule",
    "consolidation": "consolidation",
    "pneumothorax": "pneumothorax",
    "pacemaker": "pacemaker",
    "chest tube": "tube",
    "drain": "tube",
}
ANSWERS = {
    "heart": "an enlarged heart",
    "nodule": "a nodule",
    "consolidation": "a consolidation",
    "effusion": "a pleural effusion",
    "pneumothorax": "a pneumothorax",
    "pacemaker": "a pacemaker",
    "tube": "a chest tube",
}
WHERE = {kind: "zone" if kind in ("nodule", "consolidation") else "side" for kind in ANSWERS}


def answer(scene: Scene, question: str) -> str:
    """The right answer to ``question``; ValueError where it makes no sense."""
    text = question.lower().rstrip("?.")
    findings: dict[str, tuple[str | None, str | None]] = {
        finding.kind: (finding.side, finding.zone) for finding in scene.findings
    }
    zone = re.search(r"(left|right) (upper|lower) zone", text)
    kinds = list(dict.fromkeys(NAMES[name] for name in re.findall("|".join(NAMES), text)))
    if zone:
        return _about_zone(findings, (zone[1], zone[2]), kinds, text)
    if kinds:
        return _about_kind(findings, kinds, text)
    if side := re.search(r"on the (left|right)", text):
        return listed([ANSWERS[kind] for kind in ANSWERS if kind in findings and findings[kind][0] == side[1]])
    return _about_picture(findings, text)


def _about_zone(
    findings: dict[str, tuple[str | None, str | None]], zone: tuple[str, str], kinds: list[str], text: str
) -> str:
    here = [kind for kind, place in findings.items() if place == zone]
    assert len(here) < 2
    if kinds:
        (right,) = set(here) & set(kinds)
        return ANSWERS[right]
    if text.startswith("what"):
        return ANSWERS[here[0]] if here else "nothing"
    if re.search("clear|normal|free of findings", text):
        return "no" if here else "yes"
    raise ValueError(text)


def _about_kind(findings: dict[str, tuple[str | None, str | None]], kinds: list[str], text: str) -> str:
    (kind,) = kinds
    sides = re.findall("left|right", text)
    if len(sides) == 2 or re.search("upper.*lower|lower.*upper", text):
        place = findings[kind][0 if sides else 1]
        assert place
        return place
    if re.search("where|location", text):
        side, height = findings[kind]
        return f"in the {side} {height} zone" if WHERE[kind] == "zone" else f"on the {side}"
    return "yes" if kind in findings and sides in ([], [findings[kind][0]]) else "no"


def _about_picture(findings: dict[str, tuple[str | None, str | None]], text: str) -> str:
    if re.search("heart|cardiomegaly", text):
        if "normal" in text:
            return "enlarged" if "heart" in findings else "normal"
        return "yes" if "heart" in findings else "no"
    if re.search("how many|number", text):
        return ["none", "one", "two", "three"][len(findings)]
    if "device" in text:
        devices = [ANSWERS[kind] for kind in ("pacemaker", "tube") if kind in findings]
        return listed(devices) if re.match("what|which", text) else "yes" if devices else "no"
    if re.search("normal|healthy", text):
        return "no" if findings else "yes"
    if re.search("^describe|^what|report|summarize", text):
        return described(findings)
    raise ValueError(text)


def described(findings: dict[str, tuple[str | None, str | None]]) -> str:
    """The sentence about everything, in the order of ``ANSWERS``."""
    parts = []
    for kind in ANSWERS:
        if kind in findings:
            side, height = findings[kind]
            place = {"zone": f" in the {side} {height} zone", "side": f" on the {side}"}[WHERE[kind]] if side else ""
            parts.append(ANSWERS[kind] + place)
    return f"There is {listed(parts)}." if parts else "There are no findings."


def listed(parts: list[str]) -> str:
    """ "a, b and c"; "nothing" for none."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts) or "nothing"
