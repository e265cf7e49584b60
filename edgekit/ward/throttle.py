"""Guessing of passwords made slow, without letting whoever guesses lock others out.

After a few wrong passwords the next try has to wait, twice as long after each: by account and address together up to a
quarter of an hour, by an account from everywhere half a minute, by an address for everybody's accounts some seconds. No
count ever closes anything for good, and none is shared by those who have nothing to do with it:

* Behind one address, as a proxy's, may be a whole ward: it waits seconds, and a right password forgets what was wrong.
* An account that is guessed at from elsewhere stays open to its own: a device that has signed in to it before
  (``device``, the secret of a session that may have ended) counts by itself alone. So does an address from which
  somebody signed in to it: a browser that was closed has forgotten its secret by the next morning.

Times are monotonic, and a restart forgets them: it takes longer than the delays that it would save.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

_FORGOTTEN_S = 3600.0
"""After this long without a wrong password nothing is remembered of one."""
_MOST = 10_000
"""What is counted at once; the oldest makes way. Random names fill it, and cost their sender a try each."""
_Key: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class _Rule:
    """``free`` wrong passwords cost nothing; then a second, two, four, … up to ``longest_s``."""

    free: int
    longest_s: float

    def delay_s(self, failures: int) -> float:
        over = failures - self.free
        return 0.0 if over < 0 else min(self.longest_s, 2.0 ** min(over, 30))


_RULES = {
    "device": _Rule(free=5, longest_s=60.0),
    "usual": _Rule(free=5, longest_s=60.0),
    "pair": _Rule(free=4, longest_s=900.0),
    "account": _Rule(free=10, longest_s=30.0),
    "address": _Rule(free=20, longest_s=5.0),
}


@dataclass
class _Count:
    failures: int
    last_s: float


class Throttle:
    """Counts wrong passwords: :meth:`wait_s` is asked before a try, :meth:`failed` or :meth:`passed` told after it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: OrderedDict[_Key, _Count] = OrderedDict()
        self._usual: OrderedDict[_Key, None] = OrderedDict()

    def wait_s(self, name: str, address: str, device: str = "") -> int:
        """Return the whole seconds that a try for the account called ``name`` has to wait; 0: it may be made now.

        ``device`` is given only where the caller has shown that it signed in to that account before.
        """
        return math.ceil(max((self._left_s(key) for key in self._keys(name, address, device)), default=0.0))

    def failed(self, name: str, address: str, device: str = "") -> None:
        """Count a wrong password."""
        for key in self._keys(name, address, device):
            count = self._counts.pop(key, None)
            failures = 0 if count is None or self._clock() - count.last_s > _FORGOTTEN_S else count.failures
            self._counts[key] = _Count(failures + 1, self._clock())
        while len(self._counts) > _MOST:
            self._counts.popitem(last=False)

    def passed(self, name: str, address: str, device: str = "") -> None:
        """Forget the wrong passwords that a right one makes good: those of this account here, and of this address.

        What is guessed from elsewhere goes on being slow.
        """
        for key in self._keys(name, address, device):
            if key[0] != "account":
                self._counts.pop(key, None)
        pair = _hash(name.casefold()), address
        self._usual[pair] = None
        self._usual.move_to_end(pair)
        while len(self._usual) > _MOST:
            self._usual.popitem(last=False)

    def _keys(self, name: str, address: str, device: str) -> Iterator[_Key]:
        """What a try counts for. Names and secrets are kept as hashes: somebody may type his password as a name."""
        account = _hash(name.casefold())
        if device:
            yield "device", _hash(device), account
            return
        if (account, address) in self._usual:
            yield "usual", account, address
        else:
            yield "pair", account, address
            yield "account", account
        yield "address", address

    def _left_s(self, key: _Key) -> float:
        count = self._counts.get(key)
        if count is None:
            return 0.0
        passed_s = self._clock() - count.last_s
        return 0.0 if passed_s > _FORGOTTEN_S else max(0.0, _RULES[key[0]].delay_s(count.failures) - passed_s)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
