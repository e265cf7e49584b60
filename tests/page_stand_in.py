"""A stand-in for the service that the page speaks to: its API by the letter, in memory, with answers that are told.

Accounts, conversations, pictures and streams are as simple as they can be; what the page must send (the header against
forged requests, the offset of a stream that broke) is insisted on. ``held``, ``pace_s`` and ``cut_after`` let a test
stand between two events. :func:`running` serves it, with the page's own files, over a real socket.
"""

from __future__ import annotations

import asyncio
import io
import json
import secrets
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import numpy as np
import numpy.typing as npt
import uvicorn
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route

from edgekit.serve.static import Page

NOTICE = "For research only: clinical use is not intended."
BUNDLE = "0123456789abcdef" * 4
ANSWER = "There is a small pleural effusion on the left.\nThe heart is of normal size; no pneumothorax is seen."
PASSWORD = "a long password"
Document = dict[str, Any]


class Said(Exception):
    """An error as the service says it."""

    def __init__(self, status: int, code: str, message: str = "Refused.", **headers: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers


@dataclass
class StoredPicture:
    """A picture: what the page is told of it, and its grey values ``[frames, rows, columns]`` or colours."""

    document: Document
    values: npt.NDArray[Any]


@dataclass
class Case:
    """A conversation with all that belongs to it."""

    id: str
    owner: str
    label: str = ""
    referring_question: str = ""
    report: str = ""
    changed: str = ""
    turns: list[Document] = field(default_factory=list)
    pictures: dict[str, StoredPicture] = field(default_factory=dict)
    shares: dict[str, bool] = field(default_factory=dict)


@dataclass
class StandIn:
    """The service's state, and how it is to behave.

    * ``sign_in``: whether there are accounts; ``locked``, ``who``: the one session that there is
    * ``answer``: what is answered, a word an event, every ``pace_s`` seconds, none behind the first ``held_after``
      while ``held``, when no deletion is acknowledged either
    * ``cut_after``: the link breaks once after so many events of text; ``down`` refuses every request meanwhile
    """

    sign_in: bool = True
    who: str = ""
    role: str = "doctor"
    language: str = "en"
    locked: bool = False
    images: int = 2
    invitation: str = ""
    idle_s: int = 1800
    passwords: dict[str, str] = field(default_factory=lambda: {"Dr Ada": PASSWORD, "Dr Ben": PASSWORD})
    answer: str = ANSWER
    pace_s: float = 0.0
    held: bool = False
    held_after: int = 0
    place: int | None = None
    cut_after: int | None = None
    down: bool = False
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    confidence: Document | None = None
    cases: dict[str, Case] = field(default_factory=dict)
    looks: int = 0
    gathered: int = 0
    archive: bytes = b""
    asked: list[str] = field(default_factory=list)
    feedback: list[Document] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    uploads: list[bytes] = field(default_factory=list)
    samples: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    cookie: str = ""
    csrf: str = "a-token-against-forgery"

    def session(self, *, known: bool = True) -> Document:
        """What ``GET api/session`` says, to whoever has the cookie or to others."""
        known = known and bool(self.who)
        account = {"name": self.who, "role": self.role, "language": self.language} if known else None
        return {
            "signed_in": known,
            "account": account,
            "locked": known and self.locked,
            "csrf": self.csrf if known or not self.sign_in else "",
            "sign_in_needed": self.sign_in,
            "accounts": self.sign_in,
            "idle_s": self.idle_s if known else None,
            "service": {
                "model": "llava-phantom",
                "notice": NOTICE,
                "bundle": BUNDLE,
                "images": self.images,
                "version": "0.1.0",
                "dicom": True,
                "slots": 2,
                "languages_of_model": ["en"],
            },
        }

    def case(self, request: Request, *, owning: bool = False) -> Case:
        """The conversation that a path names, where it is this caller's to see."""
        case = self.cases.get(request.path_params["id"])
        me = self.who or "this machine"
        if case is None or (case.owner != me and (owning or me not in case.shares)):
            raise Said(404, "not_found")
        return case

    def row(self, case: Case) -> Document:
        """A conversation as the list has it."""
        me = self.who or "this machine"
        return {
            "id": case.id,
            "label": case.label,
            "title": case.turns[0]["question"][:80] if case.turns else "",
            "referring_question": case.referring_question,
            "created": case.changed,
            "changed": case.changed,
            "access": "own" if case.owner == me else "ask" if case.shares[me] else "read",
            "owner": case.owner,
            "pictures": len(case.pictures),
            "turns": len(case.turns),
        }

    # The endpoints.

    async def get_session(self, request: Request) -> Response:
        return JSONResponse(self.session(known=request.cookies.get("edgekit") == self.cookie))

    async def post_session(self, request: Request) -> Response:
        given = await request.json()
        if self.passwords.get(given["name"]) != given["password"]:
            if given["name"] == "hurried":
                raise Said(429, "too_many_tries", **{"retry-after": "30"})
            raise Said(401, "wrong_password")
        return self._signed_in(given["name"])

    def _signed_in(self, name: str) -> Response:
        self.who, self.locked, self.cookie = name, False, secrets.token_urlsafe(16)
        response = JSONResponse(self.session())
        response.set_cookie("edgekit", self.cookie, httponly=True, samesite="strict")
        return response

    async def delete_session(self, request: Request) -> Response:
        self.who, self.locked = "", False
        return Response(status_code=204)

    async def lock(self, request: Request) -> Response:
        self.locked = True
        return Response(status_code=204)

    async def unlock(self, request: Request) -> Response:
        if (await request.json())["password"] != self.passwords[self.who]:
            raise Said(401, "wrong_password")
        self.locked = False
        return JSONResponse(self.session())

    async def accept(self, request: Request) -> Response:
        given = await request.json()
        if not self.invitation or given["secret"] != self.invitation:
            raise Said(400, "invitation_invalid")
        self.invitation = ""
        self.passwords["Dr Ada"] = given["password"]
        return self._signed_in("Dr Ada")

    async def change_password(self, request: Request) -> Response:
        given = await request.json()
        if given["old"] != self.passwords[self.who]:
            raise Said(401, "wrong_password")
        self.passwords[self.who] = given["new"]
        self.who = ""
        return Response(status_code=204)

    async def patch_account(self, request: Request) -> Response:
        self.language = (await request.json())["language"]
        return Response(status_code=204)

    async def list_cases(self, request: Request) -> Response:
        me = self.who or "this machine"
        search = request.query_params.get("search", "").lower()
        mine = [case for case in self.cases.values() if case.owner == me or me in case.shares]
        rows = [self.row(case) for case in sorted(mine, key=lambda case: case.changed, reverse=True)]
        rows = [row for row in rows if search in (row["label"] + row["title"]).lower()]
        before = request.query_params.get("before")
        if before:
            rows = rows[[row["id"] for row in rows].index(before) + 1 :]
        limit = int(request.query_params.get("limit", "30"))
        return JSONResponse({"conversations": rows[:limit], "more": len(rows) > limit})

    async def make_case(self, request: Request) -> Response:
        case = Case(secrets.token_urlsafe(16), self.who or "this machine", **await request.json())
        case.changed = now()
        self.cases[case.id] = case
        return JSONResponse(self.row(case), 201)

    async def one_case(self, request: Request) -> Response:
        case = self.case(request, owning=request.method != "GET")
        if request.method == "DELETE":
            del self.cases[case.id]
            while self.held:
                await asyncio.sleep(0.01)
            return Response(status_code=204)
        if request.method == "PATCH":
            for name, value in (await request.json()).items():
                setattr(case, name, value)
            return JSONResponse(self.row(case))
        shares = [{"name": name, "may_ask": may} for name, may in case.shares.items()]
        images = [picture.document for picture in case.pictures.values()]
        return JSONResponse(
            {**self.row(case), "turns": case.turns, "images": images, "shares": shares, "report": case.report}
        )

    async def access(self, request: Request) -> Response:
        self.looks += 1
        return JSONResponse({"access": self.row(self.case(request))["access"]})

    async def ask(self, request: Request) -> Response:
        case, given = self.case(request), await request.json()
        self.asked.append(given["text"])
        turn = {
            "id": secrets.token_urlsafe(16),
            "number": len(case.turns) + 1,
            "question": given["text"],
            "pictures": given["images"],
            "answer": "",
            "state": "waiting",
            "notes": list(self.notes),
            "seed": 1,
            "params": {},
            "tokens": 0,
            "prompt_tokens": 0,
            "bundle": BUNDLE,
            "by": self.who or "this machine",
            "language": "en",
            "created": now(),
            "verdict": None,
            "confidence": self.confidence,
        }
        case.turns.append(turn)
        case.changed = now()
        asyncio.get_running_loop().create_task(self._write(turn))
        return self._stream(turn, 0)

    async def _write(self, turn: Document) -> None:
        """Answer, whether anybody listens or not."""
        for word in self.answer.split(" "):
            while self.held and turn["tokens"] >= self.held_after and turn["state"] != "stopped":
                await asyncio.sleep(0.01)
            if turn["state"] == "stopped":
                return
            turn["state"] = "writing"
            turn["answer"] += word if not turn["answer"] else f" {word}"
            turn["tokens"] += 1
            await asyncio.sleep(self.pace_s)
        if turn["state"] != "stopped":
            turn["state"] = "whole"

    def _stream(self, turn: Document, offset: int) -> Response:
        return StreamingResponse(self._events(turn, offset), media_type="text/event-stream")

    async def _events(self, turn: Document, offset: int) -> AsyncIterator[bytes]:
        yield event("turn", turn)
        told, count, spoken, place = offset, 0, time.monotonic(), None
        while True:
            if self.place != place:
                place = self.place
                yield event("place", {"place": place, "wait_s": 12})
            is_over = turn["state"] in ("whole", "stopped", "failed")
            if len(turn["answer"]) > told:
                piece, told = turn["answer"][told:], len(turn["answer"])
                yield event("text", {"text": piece}, told)
                count += 1
                if self.cut_after is not None and count >= self.cut_after:
                    self.cut_after = None
                    raise ConnectionError("the link breaks here")
            elif is_over:
                yield event("end", turn)
                return
            elif time.monotonic() - spoken > 2:
                spoken = time.monotonic()
                yield b": still here\n\n"
            await asyncio.sleep(0.005)

    async def one_turn(self, request: Request) -> Response:
        case = self.case(request)
        turn = next((turn for turn in case.turns if turn["id"] == request.path_params["turn"]), None)
        if turn is None:
            raise Said(404, "not_found")
        if request.method == "DELETE":
            if turn["state"] in ("waiting", "writing"):
                turn["state"] = "stopped"
            return Response(status_code=204)
        offset = int(request.query_params.get("offset", "0"))
        self.offsets.append(offset)
        return self._stream(turn, offset)

    async def add_picture(self, request: Request) -> Response:
        case, content = self.case(request), await request.body()
        self.uploads.append(content)
        return JSONResponse(self._keep(case, *opened(content)), 201)

    def _keep(self, case: Case, values: npt.NDArray[Any], facts: Document) -> Document:
        document = {
            "id": secrets.token_urlsafe(16),
            "width": values.shape[2],
            "height": values.shape[1],
            "frames": values.shape[0],
            "bits": 8 * values.dtype.itemsize,
            "colour": values.ndim == 4,
            "facts": facts,
            "notes": list(self.notes),
            "warnings": list(self.warnings),
        }
        case.pictures[document["id"]] = StoredPicture(document, values)
        return document

    def picture(self, request: Request) -> StoredPicture:
        """The picture that a path names."""
        picture = self.case(request).pictures.get(request.path_params["picture"])
        if picture is None:
            raise Said(404, "not_found")
        return picture

    async def one_picture(self, request: Request) -> Response:
        case, picture = self.case(request), self.picture(request)
        if request.method == "DELETE":
            del case.pictures[picture.document["id"]]
            return Response(status_code=204)
        values = picture.values[int(request.query_params.get("frame", "0"))].astype(np.float64)
        shown = Image.fromarray((values * (255 / max(values.max(), 1))).astype(np.uint8))
        side = int(request.query_params.get("side", "0"))
        if side:
            shown.thumbnail((side, side))
        stream = io.BytesIO()
        shown.save(stream, "PNG")
        return Response(stream.getvalue(), media_type="image/png")

    async def pixels(self, request: Request) -> Response:
        values = self.picture(request).values[int(request.query_params.get("frame", "0"))]
        side = int(request.query_params.get("side", "0")) or max(values.shape)
        every = max(1, -(-max(values.shape) // side))
        values = np.ascontiguousarray(values[::every, ::every]).astype("<u2")
        facts = {"height": values.shape[0], "width": values.shape[1], "slope": 1, "intercept": 0, "invert": False}
        facts |= {"offset": 0, "function": "LINEAR", "padding": None}
        facts |= {"center": (int(values.max()) + 1) / 2, "width_of_window": int(values.max()) + 1}
        headers = {"x-picture": json.dumps(facts)}
        return Response(values.tobytes(), media_type="application/octet-stream", headers=headers)

    async def mask(self, request: Request) -> Response:
        case, picture = self.case(request), self.picture(request)
        values = picture.values.copy()
        for x, y, width, height in (await request.json())["rectangles"]:
            values[:, y : y + height, x : x + width] = 0
        if not any(picture.document["id"] in turn["pictures"] for turn in case.turns):
            del case.pictures[picture.document["id"]]
        return JSONResponse(self._keep(case, values, picture.document["facts"]), 201)

    async def judge(self, request: Request) -> Response:
        given = await request.json()
        self.feedback.append(given)
        for case in self.cases.values():
            for turn in case.turns:
                if turn["id"] == given["turn"]:
                    turn["verdict"] = {"verdict": given["verdict"], "answer": given.get("answer", "")}
        return Response(status_code=204)

    async def colleagues(self, request: Request) -> Response:
        return JSONResponse({"names": sorted(self.passwords.keys() - {self.who})})

    async def share(self, request: Request) -> Response:
        case, name = self.case(request, owning=True), request.path_params["name"]
        if request.method == "PUT":
            case.shares[name] = (await request.json())["may_ask"]
        else:
            del case.shares[name]
        return Response(status_code=204)

    async def qr(self, request: Request) -> Response:
        self.case(request)
        picture = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M1 1h3v3h-3zM5 5h3v3h-3z"/></svg>'
        return Response(picture, media_type="image/svg+xml")

    async def admin(self, request: Request) -> Response:
        if self.role != "admin":
            raise Said(404, "not_found")
        return JSONResponse(
            {
                "queue": {"running": 1, "waiting": 3},
                "slots": {"busy": 1, "all": 2},
                "memory": {"used_bytes": 3_100_000_000, "budget_bytes": 6_000_000_000},
                "disk": {"free_bytes": 41_000_000_000, "all_bytes": 128_000_000_000},
                "signed_in": [{"name": "Dr Ada", "since": now(), "seen": now()}],
                "errors": [{"time": now(), "code": "image_too_large"}],
                "certificates": [{"name": "ward7.local", "until": now()}],
                "golden": {"time": now(), "agrees": True},
                "nightly": {
                    "files": "failed",
                    "answers": "not done",
                    "files_time": now(),
                    "answers_time": now(),
                    "findings": ["replaced under the running service: libnothing.so.1", "no room"],
                },
                "started": now(),
            }
        )

    async def support(self, request: Request) -> Response:
        if self.role != "admin":
            raise Said(403, "admin_needed")
        self.gathered += 1
        self.archive = secrets.token_bytes(2048)
        name = "edgekit-support-20261130T120000Z.tar.gz"
        files = [
            {"name": "contents.txt", "bytes": 812, "what": "this list"},
            {"name": "log.txt", "bytes": 1_258_291, "what": "its last lines"},
        ]
        headers = {"x-archive": json.dumps({"name": name, "files": files})}
        return Response(self.archive, media_type="application/gzip", headers=headers)

    async def list_samples(self, request: Request) -> Response:
        return JSONResponse(
            {"samples": [{"name": name, "question": asked} for name, (asked, _) in self.samples.items()]}
        )

    async def one_sample(self, request: Request) -> Response:
        return Response(self.samples[request.path_params["name"]][1], media_type="image/png")

    def routes(self) -> list[BaseRoute]:
        """Every path of the API."""
        one, picture = "/conversations/{id}", "/conversations/{id}/images/{picture}"
        table: list[tuple[str, str, Any]] = [
            ("GET", "/session", self.get_session),
            ("POST", "/session", self.post_session),
            ("DELETE", "/session", self.delete_session),
            ("POST", "/session/lock", self.lock),
            ("POST", "/session/unlock", self.unlock),
            ("POST", "/invitation", self.accept),
            ("POST", "/password", self.change_password),
            ("PATCH", "/account", self.patch_account),
            ("GET", "/conversations", self.list_cases),
            ("POST", "/conversations", self.make_case),
            ("GET PATCH DELETE", one, self.one_case),
            ("GET", one + "/qr", self.qr),
            ("GET", one + "/access", self.access),
            ("POST", one + "/messages", self.ask),
            ("GET", one + "/messages/{turn}/events", self.one_turn),
            ("DELETE", one + "/messages/{turn}", self.one_turn),
            ("POST", one + "/images", self.add_picture),
            ("GET DELETE", picture, self.one_picture),
            ("GET", picture + "/pixels", self.pixels),
            ("POST", picture + "/mask", self.mask),
            ("PUT DELETE", one + "/shares/{name}", self.share),
            ("POST", "/feedback", self.judge),
            ("GET", "/colleagues", self.colleagues),
            ("GET", "/admin", self.admin),
            ("GET", "/support", self.support),
            ("GET", "/samples", self.list_samples),
            ("GET", "/samples/{name}", self.one_sample),
        ]
        return [
            Route(path, self._bordered(path, endpoint), methods=methods.split()) for methods, path, endpoint in table
        ]

    def _bordered(self, path: str, endpoint: Any) -> Any:
        """An endpoint behind what guards it: who asks, and whether a page of ours does."""
        is_open = path in ("/session", "/invitation", "/session/unlock")

        async def guarded(request: Request) -> Response:
            if self.down:
                raise ConnectionError("the service is away")
            is_in = bool(self.who) and request.cookies.get("edgekit") == self.cookie
            if self.sign_in and not is_open:
                if not is_in:
                    raise Said(401, "signed_out")
                if self.locked and path != "/session/lock":
                    raise Said(401, "session_locked")
            if request.method != "GET" and is_in and request.headers.get("x-csrf-token") != self.csrf:
                raise Said(403, "csrf")
            response: Response = await endpoint(request)
            response.headers["cache-control"] = "no-store"
            return response

        return guarded


def event(name: str, data: Any, id: int | None = None) -> bytes:
    """A server-sent event."""
    number = f"id: {id}\n" if id is not None else ""
    return f"{number}event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def now() -> str:
    """This moment as the API writes it."""
    return datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")


def opened(content: bytes) -> tuple[npt.NDArray[Any], Document]:
    """An upload's values, ``[frames, rows, columns]`` or with colours behind, and its facts."""
    if content[128:132] == b"DICM":
        from pydicom import dcmread

        header = dcmread(io.BytesIO(content))
        values = header.pixel_array
        facts = {"modality": header.get("Modality", ""), "body_part": header.get("BodyPartExamined", "")}
        facts |= {"view": header.get("ViewPosition", ""), "window": [2048, 4096]}
        return (values if values.ndim == 3 else values[None]), facts
    try:
        picture = Image.open(io.BytesIO(content))
        picture.load()
    except OSError:
        raise Said(415, "unsupported_image", "This is no picture that can be read.") from None
    return np.asarray(picture.convert("L" if picture.mode in ("L", "1") else "RGB"))[None], {}


async def _said(request: Request, error: Exception) -> Response:
    assert isinstance(error, Said)
    document = {"error": {"message": error.message, "type": "error", "param": None, "code": error.code}}
    return JSONResponse(document, error.status, headers=error.headers)


def application(stand_in: StandIn, below: str = "") -> Starlette:
    """The page and its API, below a path of their own."""
    page = Page()
    pages = [Route("/", page, methods=["GET"]), Route("/page/{path:path}", page, methods=["GET"])]
    handlers = {Said: _said}
    whole: list[BaseRoute] = [Mount("/api", routes=stand_in.routes()), *pages]
    return Starlette(routes=[Mount(below, routes=whole)] if below else whole, exception_handlers=handlers)


@contextmanager
def running(stand_in: StandIn, below: str = "") -> Iterator[str]:
    """Serve it on a free port of loopback until the block's end; yields the page's address."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        application(stand_in, below), log_level="critical", lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}{below}/"
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()
