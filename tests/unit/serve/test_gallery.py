"""Pictures are decoded once for each caller, within bounds, and not once for all."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from edgekit.errors import InputError
from edgekit.inputs.prepared import PreparedPicture
from edgekit.serve.gallery import CACHE_BYTES, Gallery
from edgekit.units import MIB
from tests.fake_engine import IMAGE

PICTURE_BYTES = 3 * IMAGE.size**2 * 4


class Decoding:
    """Stands for the decoder: notes which files it was given, and refuses that of nothing."""

    def __init__(self) -> None:
        self.files: list[bytes] = []
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def __call__(self, file: bytes) -> PreparedPicture:
        self.files.append(file)
        await self.goes_on.wait()
        if not file:
            raise InputError("The image is empty")
        values = np.full((3, IMAGE.size, IMAGE.size), file[0], np.float32)
        return PreparedPicture(values, IMAGE, file.hex())


def test_a_caller_has_a_picture_decoded_once() -> None:
    async def scenario() -> None:
        gallery = Gallery(decoding := Decoding())
        first = await gallery.picture("ward", b"a")
        assert await gallery.picture("ward", bytes([ord("a")])) is first
        assert (await gallery.picture("ward", b"b")).digest == b"b".hex()
        assert decoding.files == [b"a", b"b"]

    asyncio.run(scenario())


def test_another_caller_has_it_decoded_anew() -> None:
    """Else the time of an answer would tell who has asked about the same picture."""

    async def scenario() -> None:
        gallery = Gallery(decoding := Decoding())
        ours = await gallery.picture("token ward", b"a")
        theirs = await gallery.picture("address 127.0.0.1", b"a")
        assert decoding.files == [b"a", b"a"]
        assert ours is not theirs
        assert await gallery.picture("token ward", b"a") is ours

    asyncio.run(scenario())


def test_what_was_used_last_stays_within_the_bytes_that_there_are() -> None:
    async def scenario() -> None:
        gallery = Gallery(decoding := Decoding(), 2 * PICTURE_BYTES)
        for file in (b"a", b"b", b"a", b"c"):  # b makes way: a was looked at since
            await gallery.picture("ward", file)
        assert gallery._held_bytes() == 2 * PICTURE_BYTES
        decoding.files.clear()
        for file in (b"a", b"c", b"b"):
            await gallery.picture("ward", file)
        assert decoding.files == [b"b"]

    asyncio.run(scenario())


def test_a_picture_larger_than_all_room_serves_the_next_question() -> None:
    async def scenario() -> None:
        gallery = Gallery(decoding := Decoding(), 1)
        for file in (b"a", b"a", b"b", b"b"):
            await gallery.picture("ward", file)
        assert decoding.files == [b"a", b"b"]
        assert gallery._held_bytes() == PICTURE_BYTES

    asyncio.run(scenario())


def test_a_picture_that_is_none_is_looked_at_again_and_takes_no_room() -> None:
    async def scenario() -> None:
        gallery = Gallery(decoding := Decoding())
        for _ in range(2):
            with pytest.raises(InputError, match="empty"):
                await gallery.picture("ward", b"")
        assert decoding.files == [b"", b""]
        assert gallery._held_bytes() == 0

    asyncio.run(scenario())


def test_what_a_caller_sent_is_forgotten_and_what_others_sent_is_not() -> None:
    async def scenario() -> None:
        gallery = Gallery(decoding := Decoding())
        for caller, file in (("ward", b"a"), ("ward", b"b"), ("ward-7", b"a")):
            await gallery.picture(caller, file)
        decoding.files.clear()
        gallery.forget("ward")
        gallery.forget("nobody")
        await gallery.picture("ward-7", b"a")
        assert gallery._held_bytes() == PICTURE_BYTES
        await gallery.picture("ward", b"a")
        assert decoding.files == [b"a"]

    asyncio.run(scenario())


def test_what_is_being_decoded_when_its_caller_is_forgotten_is_not_kept() -> None:
    async def scenario() -> None:
        gallery = Gallery(decoding := Decoding())
        decoding.goes_on.clear()
        asking = asyncio.ensure_future(gallery.picture("ward", b"a"))
        await asyncio.sleep(0)
        gallery.forget("ward")
        decoding.goes_on.set()
        assert (await asking).digest == b"a".hex(), "the request itself is answered"
        assert gallery._held_bytes() == 0

    asyncio.run(scenario())


def test_the_cache_holds_about_fifty_pictures_of_a_common_tower() -> None:
    assert 45 <= CACHE_BYTES // (3 * 336**2 * 4) <= 55
    assert CACHE_BYTES == 64 * MIB
