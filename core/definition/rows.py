"""The definitions of a stored version: each is read from its JSON when somebody asks for it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from core.definition.lookup import Definitions, Notes
from core.definition.values import Merged

if TYPE_CHECKING:
    from core.definition.kinds.base import Kind

Key = tuple[str, str]                                   # kind, name


class Row(NamedTuple):
    """A merged definition as it is stored; the body is JSON."""

    kind: str
    name: str
    hash: str
    layer: str
    format: int
    body: str

    @property
    def merged(self) -> Merged:
        """The definition."""
        return Merged(self.kind, self.name, json.loads(self.body), self.hash, self.layer, self.format)


class Rows(Definitions):
    """Merged definitions by kind and name; a worker needs a few of hundreds, and their text takes little room."""

    def __init__(self, rows: Iterable[Row]) -> None:
        super().__init__((), Notes())
        self._rows = {(row.kind, row.name): row for row in rows}

    def __missing__(self, key: Key) -> Merged:
        found = self[key] = self._rows[key].merged
        return found

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __iter__(self) -> Iterator[Key]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def look(self, key: Key) -> Merged:
        """A definition, for a moment only."""
        return self._rows[key].merged

    @property
    def hashes(self) -> dict[Key, str]:
        """The hash of each."""
        return {key: row.hash for key, row in self._rows.items()}

    def older(self, kinds: Mapping[str, Kind]) -> bool:
        """True if a body is of an older format than this release writes."""
        return any(row.kind in kinds and row.format < kinds[row.kind].format for row in self._rows.values())

    @property
    def renamed(self) -> bool:
        """False if surely none of them has a former name."""
        return any('"was"' in row.body for row in self._rows.values())
