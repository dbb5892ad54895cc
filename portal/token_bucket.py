"""How often somebody may do something: token buckets (https://en.wikipedia.org/wiki/Token_bucket).

Each web process counts for itself: nobody waits for another server to be allowed something, nor is refused because that
is away.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable


class TokenBucket:
    """Holds ``most`` tokens at the beginning and at most, and is given ``a_second``."""

    def __init__(self, most: float, a_second: float) -> None:
        self.most, self.a_second = most, a_second
        self._left, self._at = most, time.monotonic()

    def take(self, tokens: float = 1.0) -> float:
        """Take ``tokens`` and return 0; where there are too few take none, and return in how many seconds to ask."""
        self._fill()
        if tokens > self._left:
            return (tokens - self._left) / self.a_second
        self._left -= tokens
        return 0.0

    @property
    def full(self) -> bool:
        """Whether it is as a new one would be."""
        self._fill()
        return self._left >= self.most

    def _fill(self) -> None:
        now = time.monotonic()
        self._left = min(self.most, self._left + (now - self._at) * self.a_second)
        self._at = now


class TokenBuckets:
    """One for each key, from any thread."""

    def __init__(self, most: float, a_second: float) -> None:
        self.most, self.a_second = most, a_second
        self._lock = threading.Lock()
        self._of: OrderedDict[Hashable, TokenBucket] = OrderedDict()

    def take(self, key: Hashable) -> float:
        """As :meth:`TokenBucket.take`, one from the bucket of ``key``."""
        with self._lock:
            bucket = self._of.setdefault(key, TokenBucket(self.most, self.a_second))
            self._of.move_to_end(key)
            self._forget()
            return bucket.take()

    def _forget(self) -> None:
        """The one that has been left alone for longest, if it is full again: one at each call keeps them few."""
        oldest = next(iter(self._of))
        if len(self._of) > 1 and self._of[oldest].full:
            del self._of[oldest]
