"""A disk that is full but for what the reserve lets go: stands for one of that size, without root or a file system."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from edgekit.errors import DiskFull
from edgekit.units import KIB
from edgekit.ward import reserve
from edgekit.ward.audit.audit import Audit
from edgekit.ward.database import Database
from edgekit.ward.reserve import NAME, RESERVE_BYTES

NEEDED_BYTES = 64 * KIB


class FullDisk:
    """The disk of the folder ``state``: once it is ``full``, what is written needs that so much was let go of it."""

    def __init__(self, state: Path, patch: pytest.MonkeyPatch) -> None:
        self.full = False
        self._state = state
        patch.setattr(reserve, "_free_bytes", lambda folder: self.free_bytes)
        append, change = Audit._append, Database.change

        def appending(audit: Audit, event: Any, who: str, facts: Mapping[str, Any]) -> Any:
            self._require()
            return append(audit, event, who, facts)

        def changing(database: Database, statement: str, values: Any = ()) -> int:
            if statement.startswith(("INSERT", "UPDATE", "DELETE")):
                self._require()
            return change(database, statement, values)

        patch.setattr(Audit, "_append", appending)
        patch.setattr(Database, "change", changing)

    @property
    def free_bytes(self) -> int:
        """What is free: nothing but what of the reserve was let go."""
        if not self.full:
            return 10 * RESERVE_BYTES
        file = self._state / NAME
        return RESERVE_BYTES - file.stat().st_size if file.exists() else 0

    def _require(self) -> None:
        if self.free_bytes < NEEDED_BYTES:
            raise DiskFull("No space is left to write it", "Make room.")
