"""What a token is limited to: scopes such as `read`, `write:ticket` and `export`, less than its user may do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from core.ed.paths import end_of

if TYPE_CHECKING:
    from core.definition.model import Model

# Rights that are in no list (unlocking, say) are given to no token that is limited.
RIGHTS: Mapping[str, frozenset[str]] = {
    "read": frozenset({"read", "peek"}),
    "write": frozenset({"read", "peek", "create", "change", "delete"}),
    "export": frozenset({"read", "peek", "export"}),
}
ALL = ("read", "write", "export")
SCOPE = re.compile(r"(read|write|export)(?::([a-z][a-z0-9_]{0,62}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Scopes:
    """Scopes in normal form: the tables of each word, None for every table."""

    tables: tuple[tuple[str, frozenset[str] | None], ...]

    def allow(self, model: Model, table: str, right: str) -> bool:
        """Whether a right on a table lies within: on itself, its base, or what it has its rights through."""
        return any(right in RIGHTS[word] and (names is None or not names.isdisjoint(around(model, table)))
                   for word, names in self.tables)


@lru_cache(1_000)
def scopes_of(written: tuple[str, ...]) -> Scopes | None:
    """Read scopes as they are stored; None if they limit nothing. What is not understood allows nothing."""
    found: dict[str, frozenset[str] | None] = {}
    for match in filter(None, map(SCOPE.fullmatch, written)):
        word, table = match[1], match[2]
        before = found.get(word, frozenset())
        found[word] = None if table is None or before is None else before | {table}
    if all(word in found and found[word] is None for word in ("write", "export")):
        return None
    return Scopes(tuple(sorted(found.items())))


def around(model: Model, table: str) -> frozenset[str]:
    """A table, its bases, and the tables that it belongs to: lines are written with the record they are lines of."""
    found: set[str] = set()
    waiting = [table]
    while waiting:
        name = waiting.pop()
        if name in found or name not in model.tables:
            continue
        found.add(name)
        definition = model.tables[name]
        waiting += [end_of(model, name, path) for path in definition.access.through]
        if definition.base is not None:
            waiting.append(definition.base)
    return frozenset(found)


def unknown(model: Model, written: Iterable[str]) -> list[str]:
    """Those of some scopes that say nothing: another word, or a table that is not there."""
    return [scope for scope in written
            if (match := SCOPE.fullmatch(scope)) is None or (match[2] is not None and match[2] not in model.tables)]
