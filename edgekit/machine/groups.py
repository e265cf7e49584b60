"""The users and groups of the system: /etc/passwd and /etc/group, as passwd(5) and group(5) have them."""

from __future__ import annotations

from collections.abc import Iterator

from edgekit.machine.host import Host


def has_user(host: Host, name: str) -> bool:
    """Say whether /etc/passwd has a user."""
    return any(row[0] == name for row in _rows(host, "etc/passwd", 7))


def has_groups(host: Host) -> bool:
    """Say whether /etc/group tells anything."""
    return any(True for _ in _rows(host, "etc/group", 4))


def has_group(host: Host, name: str) -> bool:
    """Say whether /etc/group has a group."""
    return any(row[0] == name for row in _rows(host, "etc/group", 4))


def is_member(host: Host, user: str, group: str) -> bool:
    """Say whether a user belongs to a group: listed as a member, or because it is the user's first."""
    first = {row[3] for row in _rows(host, "etc/passwd", 7) if row[0] == user}
    return any(user in row[3].split(",") or row[2] in first for row in _rows(host, "etc/group", 4) if row[0] == group)


def _rows(host: Host, file: str, fields: int) -> Iterator[list[str]]:
    rows = (line.split(":") for line in host.read(file).splitlines())
    return (row for row in rows if len(row) == fields and row[0])
