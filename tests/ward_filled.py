"""``python -m tests.ward_filled FOLDER``: fill the disk of FOLDER with what is kept, and see what comes of it then."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from edgekit.errors import DiskFull
from edgekit.ward.ward import Ward
from tests.wards import Picture, open_ward

ME = "account 1"


def fill(ward: Ward, conversation: str, acknowledged: set[str]) -> None:
    """Ask, and add pictures, until there is no space."""
    try:
        while True:
            turn = ward.turns.add(ME, conversation, "question " * 300).id
            acknowledged.add(turn)
            ward.turns.finish(turn, "answer", "whole")
            ward.pictures.add(ME, conversation, Picture(os.urandom(20_000)))
    except DiskFull as error:
        assert "Make room" in error.hint


def main(folder: Path) -> None:
    """Fill it, look, make room, and go on."""
    (folder / "ballast").write_bytes(bytes(500_000))
    acknowledged: set[str] = set()
    with open_ward(folder, serving=True) as ward:
        conversation = ward.conversations.create(ME).id
        for _ in range(20):
            fill(ward, conversation, acknowledged)
        assert acknowledged <= {turn.id for turn in ward.turns.of(ME, conversation)}
    with open_ward(folder, serving=True) as ward:
        assert acknowledged <= {turn.id for turn in ward.turns.of(ME, conversation)}
        assert all(ward.pictures.file(ME, conversation, it.id) for it in ward.pictures.of(ME, conversation))
        names = {name for (name,) in ward.database.rows("SELECT file FROM pictures")}
        assert {path.name for path in (folder / "state/pictures").rglob("*") if path.is_file()} == names
        (folder / "ballast").unlink()
        assert ward.turns.add(ME, conversation, "There is room again?")
        ward.conversations.delete(ME, conversation)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
