"""A ward's months in minutes: a service in its own process, and callers who ask, leave, come back and are cut off.

    python -m tests.soak_served BUNDLE REQUESTS

Each request has a picture, a question and a seed of its own; before, its answer is written alone, by an engine that
does nothing else. Callers of several tokens then ask all at once. Some leave on the way, in every phase, and ask again;
some lose their link and take the answer up where it broke. Every answer is held against the one given alone, token by
token and to the last bit of its logprobs, and the service's memory is looked at all the time. Prints one JSON document.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from edgekit.machine.memory import memory
from edgekit.serve.tokens import add
from tests.serve_process import process
from tests.soak_cases import SLOTS, Case, Written, alike, alone, cases
from tests.wire import Connection, Reply

TOKENS, CALLERS = 4, 24
LOOKS = 200
"""Times at which memory is looked at."""
SETTLING = 0.25
"""The share of the requests in which the service's memory may still grow."""
_PATH = "/v1/chat/completions"


@dataclass(frozen=True, kw_only=True)
class Soaked:
    """What came of it.

    * ``kinds``: requests by what became of them on the way ("left while writing", …)
    * ``errors``: answers that did not come, by their codes; ``changed``: those that were not the ones given alone
    * ``alike``: answers given alone that are also a neighbour's, so that one in the other's place would not show
    * ``left_over``: answers that the service still held in the end
    * ``own_bytes``: the own memory of the service and its children together, as the requests went on
    """

    requests: int
    seconds: float
    alike: int
    kinds: dict[str, int]
    errors: dict[str, int]
    changed: list[str]
    left_over: int
    own_bytes: list[int]

    @property
    def growth(self) -> float:
        """The share by which the most memory grew after it had settled."""
        settled = round(SETTLING * len(self.own_bytes))
        return max(self.own_bytes[settled:]) / max(self.own_bytes[:settled]) - 1


@dataclass
class Ward:
    """The callers of one service, and what they saw. ``own_bytes``: its memory at each look."""

    url: str
    secrets: Sequence[str]
    pid: int
    every: Sequence[Case]
    expected: Sequence[Written]
    random: random.Random = field(default_factory=lambda: random.Random(17))
    kinds: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    changed: list[str] = field(default_factory=list)
    own_bytes: list[int] = field(default_factory=list)

    async def run(self) -> None:
        """Have every case asked, by all callers together."""
        queue = iter(range(len(self.every)))
        await asyncio.gather(*(self._call(queue, number) for number in range(CALLERS)))

    async def _call(self, queue: Any, number: int) -> None:
        secret = self.secrets[number % len(self.secrets)]
        connection = Connection(self.url, {"authorization": f"Bearer {secret}"})
        for index in queue:
            if index % max(1, len(self.every) // LOOKS) == 0:
                self.own_bytes.append(own_bytes(self.pid))
            case, stream = self.every[index], self.random.random() < 0.7
            kind, reply = await self._ask(connection, case, stream)
            self.kinds[f"{kind}, {'streamed' if stream else 'whole'}"] += 1
            self._hold(index, reply)
        connection.close()

    async def _ask(self, connection: Connection, case: Case, stream: bool) -> tuple[str, Reply]:
        fate = self.random.random()
        if fate < 0.15:
            kind = await self._leave(connection, case, stream)
        elif fate < 0.3:
            kind, resumed = await self._break_off(connection, case, stream)
            if resumed is not None:
                return kind, resumed
        else:
            kind = "asked"
        return kind, await connection.ask(case.body(stream=stream))

    async def _leave(self, connection: Connection, case: Case, stream: bool) -> str:
        """Go before the end, for good."""
        if not stream or self.random.random() < 0.3:
            seconds = self.random.choice((0.001, 0.02, 0.1, 0.3))
            await self._read(connection, case.body(stream=stream), seconds=seconds)
            return f"left after {seconds} s"
        events = self.random.choice((0, 0, 1, 3))
        await self._read(connection, case.body(stream=True), events=events)
        return "left while writing" if events else "left before the first token"

    async def _break_off(self, connection: Connection, case: Case, stream: bool) -> tuple[str, Reply | None]:
        """Lose the link of a conversation, and take its answer up; None where the link broke before it began."""
        headers = {"x-conversation-id": uuid.uuid4().hex}
        path = f"{_PATH}/{headers['x-conversation-id']}"
        if stream:
            reply = await self._read(connection, case.body(stream=True), headers, events=self.random.choice((0, 1, 4)))
        else:
            reply = await self._read(connection, case.body(stream=False), headers, seconds=0.2)
        if reply.whole:
            return "ended before the link broke", reply
        stranger = Connection(self.url, {"authorization": f"Bearer {self._other(connection)}"})
        refused = Reply(sent_s=time.perf_counter())
        await stranger.read(refused, "GET", path)
        stranger.close()
        if refused.error != "conversation_not_found":
            self.errors["taken up by another caller"] += 1
        await connection.read(reply, "GET", f"{path}?offset={reply.number}")
        if reply.error == "conversation_not_found":
            return "lost before it was queued", None
        return "taken up", reply

    def _other(self, connection: Connection) -> str:
        return next(secret for secret in self.secrets if secret not in connection.headers["authorization"])

    async def _read(
        self,
        connection: Connection,
        body: bytes,
        headers: dict[str, str] | None = None,
        *,
        events: int | None = None,
        seconds: float = 60,
    ) -> Reply:
        """Read so many events with text, or for so long, and then end the connection."""
        reply = Reply(sent_s=time.perf_counter())
        with suppress(asyncio.TimeoutError):
            read = connection.read(
                reply, "POST", _PATH, body, headers, until=lambda reply: events is not None and reply.events >= events
            )
            await asyncio.wait_for(read, seconds)
            return reply
        connection.close()
        return reply

    def _hold(self, index: int, reply: Reply) -> None:
        """Hold an answer against the one given alone."""
        if not reply.whole:
            self.errors[reply.error or "cut"] += 1
            return
        expected = self.expected[index]
        tokens = tuple((token["token"], token["logprob"]) for token in reply.tokens)
        if (reply.text, tokens, reply.reason) != (expected.text, expected.tokens, expected.reason):
            others = [str(other) for other, written in enumerate(self.expected) if written.text == reply.text]
            whose = f"; it is that of {', '.join(others[:5])}" if others else ""
            self.changed.append(f"{index}: {reply.text!r}, alone {expected.text!r}{whose}")


def own_bytes(pid: int) -> int:
    """The own memory of a process and its children together."""
    every = [pid, *(child.pid for child in psutil.Process(pid).children())]
    return sum(memory(Path(f"/proc/{each}")).own_bytes for each in every)


def soak(path: Path, requests: int) -> Soaked:
    """Let a service of the bundle at ``path`` be asked so often."""
    every = cases(requests)
    expected = alone(path, every)
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder)
        secrets = [add(site / "tokens.toml", f"ward-{number}") for number in range(TOKENS)]
        with process(path, "--slots", str(SLOTS), site=site) as running:
            ward = Ward(running.url.rstrip("/"), secrets, running.process.pid, every, expected)
            begun = time.perf_counter()
            asyncio.run(ward.run())
            seconds = time.perf_counter() - begun
            left_over = asyncio.run(_held(ward))
            ward.own_bytes.append(own_bytes(ward.pid))
            assert running.stop() == 0
    return Soaked(
        requests=requests,
        seconds=round(seconds, 1),
        alike=alike(expected, CALLERS),
        kinds=dict(sorted(ward.kinds.items())),
        errors=dict(ward.errors),
        changed=ward.changed,
        left_over=left_over,
        own_bytes=ward.own_bytes,
    )


async def _held(ward: Ward) -> int:
    """How many answers a service holds that nobody waits for, by its own count."""
    connection = Connection(ward.url, {"authorization": f"Bearer {ward.secrets[0]}"})
    await asyncio.sleep(1)
    await connection.send("GET", "/metrics")
    text = b"".join([part async for part in connection.parts()]).decode()
    connection.close()
    counts = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return round(float(counts["edgekit_waiting"]) + float(counts["edgekit_running"]))


if __name__ == "__main__":
    result = soak(Path(sys.argv[1]), int(sys.argv[2]))
    print(json.dumps(asdict(result)))
