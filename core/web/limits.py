"""How many requests a caller may send: a bucket for each token, session and address, kept by each worker for itself.

No statement is spent on it. A caller who is known is counted before the database is asked, a stranger afterwards, by
address; so a flood of bad tokens costs no connection, and shuts nobody out whose token this worker has seen.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from math import ceil
from threading import Lock

from werkzeug.exceptions import TooManyRequests

from core.settings import Settings
from core.web.accounts import digest
from core.web.authentication import bearer, cookie_name
from core.web.context import Context
from core.web.i18n import N_
from core.web.request import Request
from core.web.routing import Route

MOST = 20_000               # buckets of one kind that a worker keeps; the one that was not used longest goes
MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Left:
    """What a caller may still send: how much now, and when there is as much as can be."""

    allowed: bool
    rate: int
    remaining: int
    seconds: int            # until there is one more, or, where some are left, until all are

    @property
    def headers(self) -> dict[str, str]:
        """The same as headers of an answer."""
        return {"RateLimit-Policy": f'"default";q={self.rate};w=60',
                "RateLimit": f'"default";r={self.remaining};t={self.seconds}'}


class Buckets:
    """Buckets of one size: each request takes one, and `rate` come back in a minute; 0 is no limit at all."""

    def __init__(self, rate: int, clock: Callable[[], float] = time.monotonic, most: int = MOST) -> None:
        self.rate = rate
        self._clock = clock
        self._most = most
        self._kept: OrderedDict[object, tuple[float, float]] = OrderedDict()        # how much is in it, and since when
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: object) -> bool:
        return key in self._kept

    def take(self, key: object) -> Left | None:
        """Take one out of a caller's bucket; None where nothing is limited."""
        return self._look(key, 1)

    def look(self, key: object) -> Left | None:
        """How a caller's bucket stands."""
        return self._look(key, 0)

    def _look(self, key: object, wanted: int) -> Left | None:
        if not self.rate:
            return None
        now = self._clock()
        with self._lock:
            inside, since = self._kept.get(key, (float(self.rate), now))
            inside = min(float(self.rate), inside + (now - since) * self.rate / MINUTE)
            allowed = inside >= 1
            if wanted:
                self._kept[key] = (inside - wanted if allowed else inside, now)
                self._kept.move_to_end(key)
                if len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        rest = inside - wanted if allowed else inside
        missing = self.rate - rest if allowed else 1 - rest
        return Left(allowed, self.rate, int(rest), max(1, ceil(missing * MINUTE / self.rate)))


class Limits:
    """The buckets of one worker."""

    def __init__(self, settings: Settings) -> None:
        self.callers = Buckets(settings.rate)
        self.strangers = Buckets(settings.anonymous_rate)

    def admit(self, context: Context, route: Route) -> None:
        """Let a request in, or not. Raises TooManyRequests."""
        key = _secret(context.request, route)
        if key is not None and key in self.callers:
            context.left = left = self.callers.take(key)
        else:
            left = self.strangers.look(_address(context.request))
        if left is not None and not left.allowed:
            raise TooManyRequests(N_("You have sent too many requests. Wait as long as Retry-After says."),
                                  retry_after=left.seconds)

    def count(self, context: Context, route: Route) -> None:
        """Count a request of somebody whom this worker did not know before it was answered."""
        if context.account is None:
            self.strangers.take(_address(context.request))
        elif context.left is None:
            context.left = self.callers.take(_secret(context.request, route))


def _secret(request: Request, route: Route) -> bytes | None:
    """What a caller is known by: the digest of the token or cookie."""
    secret = bearer(request) if route.auth == "token" else None
    secret = secret or request.cookies.get(cookie_name(request, "sid"), "")[:200]
    return digest(secret) if secret else None


def _address(request: Request) -> str:
    """Where a stranger comes from; of the newer kind of address, a household has many."""
    written = request.remote_addr or ""
    try:
        address = ip_address(written)
    except ValueError:
        return written
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(IPv6Address(int(address) >> 64 << 64))
    return written
