"""Who is given the next slot: fairly among callers, first come, first served for each of them.

In: sequences that wait, and the tokens that each caller's sequences cost. Out: the one to be admitted.

Virtual token counters (Sheng et al., "Fairness in Serving Large Language Models", OSDI 2024): each caller has a
counter of what was done for it, and the least counter comes next. So one who asks much waits behind his own
questions, not the others behind his. A caller that waited for nothing is lifted, when it comes back, to the least
counter of those who wait (where nobody does, to that of the last to be admitted): idleness earns no credit.

Batch work, which can wait, has counters of its own: it is admitted only while nothing else waits, so a counter that
stood still meanwhile would say nothing of fairness. Where there are several slots, it leaves one free: a question
that comes at night need not wait for the end of a whole answer.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, replace

from edgekit.runtime.sequence import Sequence

READ, GENERATED = 1, 2
"""What a token costs: one of a prompt that is read (one that is reused costs nothing), one that is generated."""
KEPT_CALLERS = 1024
"""Counters kept of callers that don't wait; the one whose last token is longest ago is dropped first."""


@dataclass
class Account:
    """What was done for a caller, and the number of its last admission."""

    cost: int = 0
    turn: int = 0


class Tier:
    """Callers that share slots as equals."""

    def __init__(self) -> None:
        self.waiting: dict[str, deque[Sequence]] = {}
        self.accounts: OrderedDict[str, Account] = OrderedDict()
        self._turn = 0
        self._last = ""

    def copy(self) -> Tier:
        tier = Tier()
        tier.waiting = {caller: queue.copy() for caller, queue in self.waiting.items()}
        tier.accounts = OrderedDict((caller, replace(account)) for caller, account in self.accounts.items())
        tier._turn, tier._last = self._turn, self._last
        return tier

    def add(self, sequence: Sequence) -> None:
        caller = sequence.share
        if caller not in self.waiting:
            rivals = self.waiting or [self._last]
            least = min((self.accounts[rival].cost for rival in rivals if rival in self.accounts), default=0)
            account = self._account(caller)
            account.cost = max(account.cost, least)
            self.waiting[caller] = deque()
            self._drop()
        self.waiting[caller].append(sequence)

    def pop(self) -> Sequence:
        """Take out the next: of the least counters' callers the one whose last turn is longest ago, then who came
        first."""
        caller = min(self.waiting, key=self._order)
        sequence = self.waiting[caller][0]
        self.remove(sequence)
        self._turn += 1
        self.accounts[caller].turn, self._last = self._turn, caller
        return sequence

    def remove(self, sequence: Sequence) -> None:
        queue = self.waiting[sequence.share]
        queue.remove(sequence)
        if not queue:
            del self.waiting[sequence.share]

    def charge(self, caller: str, cost: int) -> None:
        self._account(caller).cost += cost
        self.accounts.move_to_end(caller)

    def _order(self, caller: str) -> tuple[int, int]:
        account = self.accounts[caller]
        return account.cost, account.turn

    def _account(self, caller: str) -> Account:
        return self.accounts.setdefault(caller, Account())

    def _drop(self) -> None:
        spare = len(self.accounts) - len(self.waiting) - KEPT_CALLERS
        if spare > 0:
            gone = [caller for caller in self.accounts if caller not in self.waiting]
            for caller in gone[:spare]:
                del self.accounts[caller]


class FairQueue:
    """The sequences that wait for one of ``slots``; true while there is one."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._tiers = (Tier(), Tier())

    def __len__(self) -> int:
        return sum(len(queue) for tier in self._tiers for queue in tier.waiting.values())

    def __bool__(self) -> bool:
        return any(tier.waiting for tier in self._tiers)

    def copy(self) -> FairQueue:
        """Return a queue of the same sequences and counters that goes its own way."""
        queue = FairQueue(self._slots)
        queue._tiers = (self._tiers[0].copy(), self._tiers[1].copy())
        return queue

    def of(self, caller: str) -> list[Sequence]:
        """Return the sequences of ``caller`` that wait, whoever shares slots with it as one."""
        queues = [queue for tier in self._tiers for queue in tier.waiting.values()]
        return [sequence for queue in queues for sequence in queue if sequence.caller == caller]

    @property
    def idle_needed(self) -> int:
        """How many slots must be idle for the next sequence to be given one of them."""
        return 1 if self._tiers[0].waiting else min(2, self._slots)

    def add(self, sequence: Sequence) -> None:
        """Queue ``sequence`` behind its caller's others."""
        self._tier(sequence).add(sequence)

    def pop(self) -> Sequence:
        """Take out the next sequence; there must be one, and ``idle_needed`` slots for it."""
        interactive, batch = self._tiers
        return (interactive if interactive.waiting else batch).pop()

    def remove(self, sequence: Sequence) -> None:
        """Take out ``sequence``, which must wait here."""
        self._tier(sequence).remove(sequence)

    def charge(self, sequence: Sequence, read: int, generated: int) -> None:
        """Count tokens of a prompt that were read and tokens that were generated for ``sequence``'s caller."""
        self._tier(sequence).charge(sequence.share, READ * read + GENERATED * generated)

    def _tier(self, sequence: Sequence) -> Tier:
        return self._tiers[sequence.batch]
