"""A unit as systemd reads it: its sections, and each setting's values in their order."""

from __future__ import annotations

from collections import defaultdict

Unit = dict[str, dict[str, list[str]]]


def parse(text: str) -> Unit:
    """Read a unit. A setting that stands several times has several values; comments and continued lines as in
    systemd.syntax(7), the latter not at all: none of ours has one."""
    sections: Unit = {}
    settings: dict[str, list[str]] | None = None
    for line in map(str.strip, text.splitlines()):
        if not line or line[0] in "#;":
            continue
        assert not line.endswith("\\"), line
        if line.startswith("["):
            settings = sections.setdefault(line.strip("[]"), defaultdict(list))
            continue
        name, separator, value = line.partition("=")
        assert separator, f"no setting: {line}"
        assert settings is not None, "a setting before the first section"
        settings[name].append(value)
    return sections


def value(unit: Unit, name: str) -> str:
    """The one value of a setting of a service."""
    (only,) = unit["Service"][name]
    return only
