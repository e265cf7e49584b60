"""Who reads and who writes in the next step: pure bookkeeping, no tensors, no clock, no files.

In: sequences that wait. Out: a :class:`Step`: at most one chunk of one prompt, and every sequence that
decodes. So a long prompt holds the others up by one chunk a step, never by all of itself.

Callers share the slots fairly (see :mod:`edgekit.runtime.fair`). One prompt is read at a time. Hence the next one to
come finds what the one before it has read: of several questions on one image the first reads the image, and the
others copy it.

A slot remembers the keys that were read into it, also when idle. A new sequence takes over the longest prefix
that any slot shares with it, of another caller's slot no more than ``public``, what every prompt begins with (how
fast an answer comes must not tell what somebody else asked):

* in place, where an idle slot of its caller's would lose no more than ``TAIL`` positions by it (a conversation's next
  turn);
* else by a copy into the idle slot that was used least recently, so that the conversation whose prefix it
  shares goes on.

A prompt gives the same bits however much of it was read before, and in whatever pieces: the engine sees to
that. Tokens that were *decoded* have other last bits than tokens read, and a token of the next answer may turn on
them. So only what was read is taken over, and a conversation's next turn reads its last answer, once: what it is
answered is what the same prompt is answered by an engine that remembers nothing.
"""

from __future__ import annotations

from collections.abc import Sequence as Keys
from dataclasses import dataclass, field
from itertools import compress, count
from operator import ne

from edgekit.errors import ContextExceeded, InputError
from edgekit.runtime.fair import FairQueue
from edgekit.runtime.sequence import Sequence

TAIL = 64
"""Positions so few that reading them again costs less than a slot of their own."""


@dataclass(frozen=True)
class Read:
    """Read ``sequence.keys[start:stop]`` into its slot.

    Where ``source`` is a slot, copy the first ``start`` positions from there before.
    """

    sequence: Sequence
    start: int
    stop: int
    source: int | None = None


@dataclass(frozen=True)
class Step:
    """What to run next; ``decode`` in the order of slots."""

    read: Read | None
    decode: tuple[Sequence, ...]


@dataclass(eq=False)
class Slot:
    """A row of the KV arena: who has it, what was read into it, and the caller who sent that."""

    index: int
    sequence: Sequence | None = None
    kept: list[int] = field(default_factory=list)
    owner: str = ""
    used: int = 0

    @property
    def keys(self) -> list[int]:
        """What was read into this slot: as much of a prompt as is written, and nothing of an answer."""
        if self.sequence is None:
            return self.kept
        return self.sequence.keys[: min(self.sequence.written, self.sequence.prompt_tokens)]


class Scheduler:
    """Gives slots to sequences, fairly among their callers, first come, first served for each of them.

    ``public`` are the keys that every prompt begins with.
    """

    def __init__(self, slots: int, context: int, chunk: int, public: Keys[int] = ()) -> None:
        self.context = context
        self.chunk = chunk
        self.public = public
        self.waiting = FairQueue(slots)
        self.slots = [Slot(index) for index in range(slots)]
        self._clock = count(1)

    @property
    def running(self) -> list[Sequence]:
        """The sequences that have a slot, in the order of slots."""
        return [slot.sequence for slot in self.slots if slot.sequence is not None]

    @property
    def busy(self) -> bool:
        return bool(self.waiting or self.running)

    def add(self, sequence: Sequence) -> None:
        """Queue ``sequence``; :class:`InputError` when it is empty or leaves the answer no room."""
        length = sequence.prompt_tokens
        if length == 0:
            raise InputError("The prompt is empty", "Ask something.")
        if length >= self.context:
            raise ContextExceeded(length, self.context)
        sequence.max_tokens = min(sequence.max_tokens, self.context - length)
        self.waiting.add(sequence)

    def schedule(self) -> Step:
        """Plan the next step; the caller runs it, advances each sequence's ``written``, and finishes what ended."""
        running = self.running
        decode = tuple(sequence for sequence in running if sequence.state == "decoding")
        reading = next((sequence for sequence in running if sequence.state == "prefilling"), None)
        read = None
        if reading is not None:
            read = self._read(reading)
        elif self.waiting and len(self.slots) - len(running) >= self.waiting.idle_needed:
            read = self._admit(self.waiting.pop())
        self._charge(read, decode)
        return Step(read, decode)

    def finish(self, sequence: Sequence, forget: bool = False) -> None:
        """Take ``sequence`` out; its slot keeps its KV for later, unless that can't be trusted (``forget``)."""
        if sequence.slot is None:
            self.waiting.remove(sequence)
            return
        slot = self.slots[sequence.slot]
        slot.kept, slot.owner = [] if forget or sequence.fleeting else slot.keys, sequence.caller
        slot.sequence = sequence.slot = None
        slot.used = next(self._clock)

    def forget(self, caller: str) -> None:
        """Forget the keys that slots keep of ``caller``'s: idle ones now, those of its sequences when they end, which
        nobody shares meanwhile.
        """
        for sequence in [*self.running, *self.waiting.of(caller)]:
            sequence.fleeting |= sequence.caller == caller
        for slot in self.slots:
            if slot.owner == caller:
                slot.kept = []
                slot.owner = caller if slot.sequence is None else slot.sequence.owner

    def _charge(self, read: Read | None, decode: tuple[Sequence, ...]) -> None:
        if read is not None:
            first = read.stop == read.sequence.prompt_tokens  # reading the last token generates one
            self.waiting.charge(read.sequence, read=read.stop - read.start, generated=int(first))
        for sequence in decode:
            self.waiting.charge(sequence, read=0, generated=1)

    def _shared(self, slot: Slot, sequence: Sequence) -> int:
        """How many of ``slot``'s positions ``sequence`` may take over."""
        reusable = sequence.prompt_tokens - 1  # reading the last token gives the first logits
        if slot.owner != sequence.owner:
            reusable = min(reusable, common(self.public, sequence.keys))
        return min(common(slot.keys, sequence.keys), reusable)

    def _admit(self, sequence: Sequence) -> Read:
        """Give ``sequence`` an idle slot with as long a prefix as can be had."""
        shared = [self._shared(slot, sequence) for slot in self.slots]
        longest = max(shared)
        idle = [slot for slot in self.slots if slot.sequence is None]
        best = [slot for slot in idle if shared[slot.index] == longest and slot.owner == sequence.owner]
        in_place = [slot for slot in best if len(slot.kept) - longest <= TAIL]
        slot = min(in_place or idle, key=lambda slot: slot.used)
        source = None
        if shared[slot.index] < longest:
            source = shared.index(longest)
            self.slots[source].used = next(self._clock)
        slot.sequence, slot.kept, slot.owner, sequence.slot = sequence, [], sequence.owner, slot.index
        sequence.written = sequence.reused = longest
        return self._read(sequence, source)

    def _read(self, sequence: Sequence, source: int | None = None) -> Read:
        start = sequence.written
        return Read(sequence, start, min(start + self.chunk, sequence.prompt_tokens), source)


def common(left: Keys[int], right: Keys[int]) -> int:
    """Count the items that two lists share from the start."""
    return next(compress(count(), map(ne, left, right)), min(len(left), len(right)))
