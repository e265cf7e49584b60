"""``python -m tests.ward_reserve FOLDER``: fill the disk of FOLDER to its last byte, and see who still comes in."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path

from edgekit.serve.refusal import Refusal
from edgekit.serve.settings import Settings
from edgekit.serve.ward.keeper import Keeper, Store
from edgekit.ward.reserve import RESERVE_BYTES, Reserve

ME = "account 1"


def fill(ballast: Path) -> None:
    """Write until nothing more can be written."""
    with ballast.open("ab", buffering=0) as file:
        for piece in (1 << 20, 1 << 12, 1):
            with suppress(OSError):
                while True:
                    file.write(bytes(piece))


def sign_in(store: Store) -> None:
    """Begin a session as the page does."""
    store.audit.note("sign_in", "account anna", address="127.0.0.1")
    store.ward.sessions.begin(store.ward.accounts.named("anna"))


async def used(state: Path, ballast: Path) -> None:
    """Sign in, delete, and try to keep something new, while another program takes whatever is free."""
    keeper = Keeper.of(state, Settings())
    await keeper.start()
    for _ in range(3):
        fill(ballast)
        for _ in range(20):
            await keeper.call(sign_in)
    conversation = (await keeper.call(lambda store: store.ward.conversations.list(ME)))[0].id
    await keeper.call(lambda store: store.ward.conversations.delete(ME, conversation))
    assert 0 < (state / ".reserve").stat().st_size < RESERVE_BYTES
    try:
        await keeper.call(lambda store: store.room.require_spare(), eases=False)
    except Refusal as refusal:
        assert refusal.status == 507
    else:
        raise AssertionError("something new was kept")
    await keeper.close()


async def made(state: Path) -> None:
    """Keep something, and have a little set aside."""
    keeper = Keeper.of(state, Settings())
    await keeper.call(lambda store: store.ward.accounts.add("anna", "doctor"))
    for _ in range(2):
        conversation = (await keeper.call(lambda store: store.ward.conversations.create(ME))).id
        for _ in range(50):
            await keeper.call(lambda store, id=conversation: store.ward.turns.add(ME, id, "question " * 300))  # type: ignore[misc]
    await keeper.call(lambda store: store.room.reserve.take())
    await keeper.close()


async def roomy(state: Path) -> None:
    """Keep something new again."""
    keeper = Keeper.of(state, Settings())
    await keeper.call(lambda store: store.room.require_spare(), eases=False)
    assert not Reserve(state).is_in_use
    await keeper.close()


def main(folder: Path) -> None:
    """Fill it, come in twice, by another start, too, make room, and go on."""
    os.environ["EDGEKIT_SITE"] = str(folder / "site")
    state, ballast = folder / "state", folder / "ballast"
    asyncio.run(made(state))
    for _ in range(2):
        fill(ballast)
        asyncio.run(used(state, ballast))
    ballast.unlink()
    asyncio.run(roomy(state))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
