"""``api/conversations/{id}/images``: taken, shown, masked by hand, removed.

What is sent is decoded in the child alone, and of it only that is stored which the child makes of it: the file itself
is let go at once.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from edgekit.errors import InputError, InUse, NotAllowed
from edgekit.serve.asgi import while_connected
from edgekit.serve.refusal import NEVER_RETRY, Refusal
from edgekit.serve.static import takes_gzip
from edgekit.serve.ward.conversations import require_fewer
from edgekit.serve.ward.documents import PictureDocument
from edgekit.serve.ward.endpoint import DONE, Reply, Request, document
from edgekit.serve.ward.keeper import Store
from edgekit.serve.ward.requests import Mask
from edgekit.serve.ward.shown import conversation_of, show_picture
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from edgekit.inputs.kept.picture import KeptPicture
    from edgekit.ward.conversations import Conversation

T = TypeVar("T")
LARGEST_SIDE, MOST_FRAMES = 16384, 16384
GZIP_LEVEL = 1
"""Of noise as in a radiograph, more costs time and saves nothing."""


async def add(request: Request) -> Reply:
    """Take a picture's file, as the request's body."""
    desk = request.desk
    desk.service.require_open()
    await desk.keeper.call(lambda store: _require_room(request, store), eases=False)
    kept = await _kept(request)
    return document(await desk.keeper.call(lambda store: _add(request, kept, store), eases=False), 201)


async def _kept(request: Request) -> KeptPicture:
    """What is kept of the body; its bytes count as held until then."""
    service, caller, most = request.desk.service, request.visit.caller, request.desk.service.limits.image_bytes
    async with service.bodies.reading(caller.share, request.scope, request.receive) as body:
        if not body:
            raise Refusal(400, "The request has no body: a picture's file is sent as it is.", "no_picture")
        if len(body) > most:
            message = f"A picture's file has more than {format_bytes(most)}."
            raise Refusal(413, message, "image_too_large", headers=NEVER_RETRY)
        content = bytes(body)
        body.clear()
        async with service.preparing.turn(caller.share):
            try:
                return await while_connected(request.receive, request.desk.pictures.keep(content))
            except InputError as error:
                raise Refusal(415, f"{error.message}. {error.hint}".strip(), "image_not_read") from error


async def show(request: Request) -> Reply:
    """Show a frame of a picture as PNG."""
    side, frame = _size(request)
    content = await _seen(request, lambda file: request.desk.pictures.png(file, frame, side))
    return Reply(body=content, type="image/png")


async def pixels(request: Request) -> Reply:
    """Send the numbers of a frame, so that a page can draw it with any window; of one in colour, a PNG."""
    side, frame = _size(request)
    view = await _seen(request, lambda file: request.desk.pictures.view(file, frame, side))
    if isinstance(view, bytes):
        return Reply(body=view, type="image/png")
    body, headers = view.pixels.astype("<u2").tobytes(), {"x-picture": json.dumps(view.document())}
    headers["vary"] = "accept-encoding"
    if _takes_gzip(request):
        body = await asyncio.to_thread(gzip.compress, body, GZIP_LEVEL)
        headers["content-encoding"] = "gzip"
    return Reply(body=body, type="application/octet-stream", headers=headers)


async def mask(request: Request) -> Reply:
    """Blacken rectangles of a picture: it becomes another, and is removed where no question was asked about it."""
    asked = await request.read(Mask)
    await request.desk.keeper.call(lambda store: _require_own(request, store))
    kept = await _seen(request, lambda file: request.desk.pictures.masked(file, asked.rectangles))
    return document(await request.desk.keeper.call(lambda store: _replace(request, kept, store), eases=False), 201)


async def remove(request: Request) -> Reply:
    """Remove a picture that no question was asked about."""
    owner, id, picture, who = request.owner, request.part("conversation"), request.part("picture"), request.who

    def drop(store: Store) -> None:
        note = partial(store.audit.note, "picture_removed", who, conversation=id, picture=picture)
        store.ward.pictures.remove(owner, id, picture, confirm=note)

    await request.desk.keeper.call(drop)
    request.desk.forget(request.visit.caller.id)
    return DONE


async def _seen(request: Request, work: Callable[[bytes], Coroutine[Any, Any, T]]) -> T:
    """What the child makes of a picture that is kept. Who asks for many waits for his own, and two files at once are in
    memory for it."""
    desk = request.desk
    async with desk.service.preparing.turn(request.visit.caller.share), desk.loading:
        return await while_connected(request.receive, work(await _file(request)))


async def _file(request: Request) -> bytes:
    """A picture's file as it is kept; that it was looked at is noted now and then, and not for each of its frames."""
    owner, id, picture, who = request.owner, request.part("conversation"), request.part("picture"), request.who

    def read(store: Store) -> bytes:
        file = store.ward.pictures.file(owner, id, picture)
        if request.desk.looks_again(owner, picture):
            store.audit.note("picture_viewed", who, conversation=id, picture=picture)
        return file

    return await request.desk.keeper.call(read)


def _require_own(request: Request, store: Store) -> Conversation:
    """The conversation; whom it was shown to, to read, adds nothing."""
    conversation = conversation_of(store, request.owner, request.part("conversation"))
    if conversation.access == "read":
        raise NotAllowed("This conversation is another's, and may only be read", "Ask whose it is.")
    return conversation


def _require_room(request: Request, store: Store, *, instead: bool = False) -> None:
    """Refuse early what there is no place for; ``instead`` of another that goes, a picture needs none of its own."""
    keep = request.desk.service.settings.keep
    count = _require_own(request, store).pictures - instead
    require_fewer(count, keep.pictures, "pictures in this conversation")
    store.room.require(keep)


def _add(request: Request, kept: KeptPicture, store: Store) -> PictureDocument:
    _require_room(request, store)
    owner, id = request.owner, request.part("conversation")
    with store.ward.database.transaction():
        picture = store.ward.pictures.add(owner, id, kept)
        store.audit.note("picture_added", request.who, conversation=id, picture=picture.id, bytes=picture.bytes)
    store.room.add(picture.bytes)
    return show_picture(picture)


def _replace(request: Request, kept: KeptPicture, store: Store) -> PictureDocument:
    owner, id, before = request.owner, request.part("conversation"), request.part("picture")
    _require_room(request, store, instead=store.ward.pictures.is_removable(before))
    with store.ward.database.transaction():
        picture = store.ward.pictures.add(owner, id, kept)
        store.audit.note("picture_masked", request.who, conversation=id, picture=picture.id, masked_from=before)
    store.room.add(picture.bytes)
    if picture.id != before:
        with suppress(InUse):
            store.ward.pictures.remove(owner, id, before)
    return show_picture(picture)


def _size(request: Request) -> tuple[int, int | None]:
    """The longest side that is asked for, 0 for all there is, and the frame."""
    request.require_only("side", "frame")
    side = request.number("side", 0, 0, LARGEST_SIDE)
    frame = request.number("frame", -1, 0, MOST_FRAMES)
    return side, None if frame < 0 else frame


def _takes_gzip(request: Request) -> bool:
    values = [value.decode("latin-1") for name, value in request.scope["headers"] if name == b"accept-encoding"]
    return takes_gzip(",".join(values))
