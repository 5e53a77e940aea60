"""A bounded, counted cache for what is worked out once per version: statements, rights, readers of rows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import TypeVar, cast

T = TypeVar("T")


class Cache:
    """Keeps the `limit` values used last; safe to share between the threads of a process."""

    def __init__(self, limit: int = 2000) -> None:
        self.limit = limit
        self.hits = 0
        self.misses = 0
        self._values: OrderedDict[Hashable, object] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._values)

    def values(self) -> list[object]:
        """What is kept at the moment."""
        with self._lock:
            return list(self._values.values())

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value under the key, made now if it is not there; what `make` raises is not kept."""
        with self._lock:
            if key in self._values:
                self.hits += 1
                self._values.move_to_end(key)
                return cast(T, self._values[key])
            self.misses += 1
        value = make()
        with self._lock:
            self._values[key] = value
            while len(self._values) > self.limit:
                self._values.popitem(last=False)
        return value
