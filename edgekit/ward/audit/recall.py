"""A question that was answered, and all that the model was shown with it, out of the store again."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.ward.history import history
from edgekit.ward.turns import Turn
from edgekit.ward.ward import Ward


@dataclass(frozen=True)
class Recalled:
    """The ``turns`` that the model is shown, the one that was asked for last; the ``files`` of each one's pictures."""

    turns: tuple[Turn, ...]
    files: tuple[tuple[bytes, ...], ...]

    @property
    def asked(self) -> Turn:
        return self.turns[-1]


def recall(ward: Ward, turn: str) -> Recalled | None:
    """Return what a turn's answer was made of; None where it is not kept, or its key is gone.

    Whose it is does not count here: this is for whoever has the machine's keys.
    :class:`~edgekit.errors.EdgeKitError` where something of it is damaged.
    """
    query = "SELECT c.id, c.owner FROM turns t JOIN conversations c ON c.id = t.conversation WHERE t.id = ?"
    row = ward.database.row(query, (turn,))
    if row is None:
        return None
    conversation, owner = row
    turns = ward.turns.of(owner, conversation)
    if not turns:
        return None
    shown = history(turns, turn)
    files = (tuple(ward.pictures.file(owner, conversation, picture) for picture in one.pictures) for one in shown)
    return Recalled(shown, tuple(files))
