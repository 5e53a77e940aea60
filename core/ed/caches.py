"""How much a process keeps for a version: every cache with its size, its bound, and how often it helped."""

from __future__ import annotations

from dataclasses import dataclass

from core.ed.access import Gate
from core.ed.cache import Cache
from core.ed.system import System


@dataclass(frozen=True, slots=True)
class Size:
    """One cache; `limit` None: there is no more of it than of tables and fields."""

    name: str
    entries: int
    limit: int | None
    hits: int = 0
    misses: int = 0


def sizes(system: System) -> tuple[Size, ...]:
    """The caches of a version in this process."""
    kept = system.cache.values()
    gates = [gate for gate in kept if isinstance(gate, Gate)]
    return (_size("statements", system.cache), _size("principals", system.principals),
            Size("gates", len(gates), system.cache.limit),
            Size("decisions", sum(gate.known for gate in gates), None))


def _size(name: str, cache: Cache) -> Size:
    return Size(name, len(cache), cache.limit, cache.hits, cache.misses)
