"""What a person should know before saying yes to a plan."""

from __future__ import annotations

from collections.abc import Iterator

from core.bm.diff import Removed, Returned, called
from core.bm.way import Way
from core.errors import Words, words


def notes(way: Way) -> Iterator[Words]:
    """What is parked, what returns, what records keep."""
    base, facts = way.base, way.facts
    for change in way.changes:
        if isinstance(change, Removed) and change.kind in ("table", "field") and change.name in base.identities:
            yield _parking_note(change, facts.values.get(base.identities[change.name]))
        if isinstance(change, Returned):
            yield words("{what} returns with the values it had when it was removed",
                        what=called(change.kind, change.name))
        if isinstance(change, Removed) and change.kind == "choice":
            yield words("records that hold {name} keep it, as a value that cannot be chosen any more",
                        name=change.name)


def _parking_note(change: Removed, values: int | None) -> Words:
    what = called(change.kind, change.name)
    if values is None:
        return words("{what} is parked: what it holds is kept, and returns when it does", what=what)
    if change.kind == "table":
        return words("{what} is parked: {count} records are kept, and return when it does", what=what, count=values)
    return words("{what} is parked: {count} values are kept, and return when it does", what=what, count=values)
